-- What is spent at Atlassian: one budget for each app and UTC hour (hours since 1970).
create table points (
  app text not null,
  hour bigint not null,
  calls bigint not null default 0,
  spent bigint not null default 0,
  -- Promised to calls on their way.
  reserved bigint not null default 0,
  -- The app's whole quota by Atlassian's last word, and what others spent of it.
  quota bigint,
  others bigint not null default 0,
  closed_until bigint,
  primary key (app, hour)
);

create table feed_points (
  feed_id bigint not null references feeds (id) on delete cascade,
  hour bigint not null,
  calls bigint not null default 0,
  points bigint not null default 0,
  primary key (feed_id, hour)
);

-- How often each pass of a feed begins. Without a value, as often as its price allows.
alter table feeds add column changes_every_ms bigint not null default 180000;
alter table feeds add column walk_every_ms bigint;
alter table feeds add column probe_every_ms bigint;
-- How a parked feed's connection came to its end.
alter table feeds add column state_ending text;

alter table connections add column ending text;
alter table connections add column refreshed_at bigint;
update connections set refreshed_at = created_at;

-- A new grant that waits for a person's answer.
create table reconnections (
  feed_id bigint primary key references feeds (id) on delete cascade,
  connection_id bigint not null references connections (id),
  account text not null,
  account_name text not null,
  site_id text not null,
  site_name text not null,
  site_url text not null,
  site_scopes text not null,
  asked_at bigint not null
);

-- The feed's spaces that it does not see.
create table reconnection_spaces (
  feed_id bigint not null references reconnections (feed_id) on delete cascade,
  space_id text not null,
  key text not null,
  name text not null,
  kind text not null,
  primary key (feed_id, space_id)
);

-- Failures that trying again does not mend, since the job last went well; the last of them; and since when it is dead.
alter table jobs add column failures bigint not null default 0;
alter table jobs add column failed_why text;
alter table jobs add column dead_at bigint;

-- What explains a document: which runs touched it, and which could not read it.
create index run_documents_by_document on run_documents (content_id);
alter table failures add column kind text;
create index failures_by_document on failures (content_id);

-- Documents that a person wants read by id.
create table wanted (
  feed_id bigint not null references feeds (id) on delete cascade,
  content_id text not null,
  kind text,
  asked_at bigint not null,
  primary key (feed_id, content_id)
);

-- What a verify compared, how far it came, and what it found.
alter table runs add column differing bigint not null default 0;
-- One at a time, whoever asks.
create unique index runs_verifying on runs (feed_id) where kind = 'verify' and ended_at is null;

create table checked_streams (
  run_id bigint not null references runs (id) on delete cascade,
  space_id text not null,
  kind text not null,
  cursor text,
  primary key (run_id, space_id, kind)
);

create table shown_documents (
  run_id bigint not null references runs (id) on delete cascade,
  content_id text not null,
  primary key (run_id, content_id)
);

create table differences (
  run_id bigint not null references runs (id) on delete cascade,
  content_id text not null,
  kind text not null,
  space_id text not null,
  differs text not null,
  title text not null,
  url text not null,
  held text not null,
  on_site text not null,
  primary key (run_id, content_id)
);

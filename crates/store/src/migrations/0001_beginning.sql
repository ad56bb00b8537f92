create table indexes (
  id integer primary key autoincrement,
  name text not null,
  folded_name text not null unique,
  description text not null,
  created_at bigint not null,
  last_sequence bigint not null default 0
);

create table users (
  id integer primary key autoincrement,
  email text not null unique,
  name text not null,
  password_hash text not null,
  role text not null,
  created_at bigint not null
);

create table sessions (
  digest text primary key,
  user_id bigint not null references users (id) on delete cascade,
  expires_at bigint not null
);

create table api_keys (
  id integer primary key autoincrement,
  user_id bigint not null references users (id) on delete cascade,
  name text not null,
  prefix text not null,
  digest text not null unique,
  created_at bigint not null,
  last_used_at bigint
);

create table settings (
  name text primary key,
  value text not null
);

create table connections (
  id integer primary key autoincrement,
  account text,
  account_name text,
  state text not null,
  why text,
  scopes text not null,
  access_token text,
  refresh_token text,
  expires_at bigint not null,
  created_at bigint not null,
  lease_holder text,
  lease_until bigint
);

create table feeds (
  id integer primary key autoincrement,
  index_id bigint not null references indexes (id) on delete cascade,
  connection_id bigint references connections (id),
  site_id text,
  site_name text,
  site_url text,
  site_scopes text,
  state text not null,
  state_at bigint,
  state_why text,
  created_at bigint not null
);
create index feeds_by_index on feeds (index_id);

create table authorizations (
  state_digest text primary key,
  session_digest text not null,
  feed_id bigint not null references feeds (id) on delete cascade,
  expires_at bigint not null
);

create table feed_spaces (
  feed_id bigint not null references feeds (id) on delete cascade,
  space_id text not null,
  key text not null,
  name text not null,
  kind text not null,
  added_at bigint not null,
  imported_at bigint,
  estimated bigint not null default 0,
  pages bigint not null default 0,
  blog_posts bigint not null default 0,
  comments bigint not null default 0,
  attachments bigint not null default 0,
  -- A run in which so much was missing that a second one must agree.
  doubted_run bigint,
  -- Since when the connected person can no longer see it: kept out of search, not deleted.
  suspended_at bigint,
  primary key (feed_id, space_id)
);

create table marks (
  feed_id bigint not null references feeds (id) on delete cascade,
  space_id text not null,
  kind text not null,
  cursor text,
  -- The run that began this stream: only what one run read from beginning to end proves what is not there.
  run_id bigint not null,
  primary key (feed_id, space_id, kind)
);

create table runs (
  id integer primary key autoincrement,
  feed_id bigint not null references feeds (id) on delete cascade,
  kind text not null,
  cause text not null,
  started_at bigint not null,
  ended_at bigint,
  outcome text,
  why text,
  seen bigint not null default 0,
  added bigint not null default 0,
  changed bigint not null default 0,
  unchanged bigint not null default 0,
  removed bigint not null default 0,
  skipped bigint not null default 0,
  failed bigint not null default 0,
  calls bigint not null default 0,
  points bigint not null default 0
);
create index runs_by_feed on runs (feed_id, id);

create table failures (
  id integer primary key autoincrement,
  run_id bigint not null references runs (id) on delete cascade,
  site_id text,
  content_id text,
  title text not null,
  why text not null,
  at bigint not null
);
create index failures_by_run on failures (run_id);

create table documents (
  feed_id bigint not null references feeds (id) on delete cascade,
  content_id text not null,
  index_id bigint not null,
  site_id text not null,
  kind text not null,
  space_id text not null,
  parent_id text,
  title text not null,
  version bigint not null,
  created_at bigint not null,
  modified_at bigint not null,
  author text,
  editor text,
  labels text not null,
  url text not null,
  body_format text not null,
  comment_inline bigint,
  comment_reply_to text,
  comment_resolution text,
  comment_quoted text,
  file_media_type text,
  file_size_bytes bigint,
  file_id text,
  fingerprint text not null,
  sequence bigint not null,
  first_seen_at bigint not null,
  seen_run bigint,
  removed text,
  removed_at bigint,
  -- Last, so that the others are read without it.
  body text not null,
  primary key (feed_id, content_id)
);
create unique index documents_by_sequence on documents (index_id, sequence);
create index documents_by_parent on documents (feed_id, parent_id);
create index documents_by_space on documents (feed_id, space_id, kind);
create index documents_by_author on documents (site_id, author);
create index documents_by_editor on documents (site_id, editor);
create index documents_held on documents (index_id) where removed is null;

create table people (
  site_id text not null,
  account text not null,
  name text not null,
  primary key (site_id, account)
);

create table jobs (
  id integer primary key autoincrement,
  feed_id bigint not null references feeds (id) on delete cascade,
  cause text not null,
  at bigint not null,
  attempt bigint not null default 0,
  again_at bigint,
  again_cause text,
  lease_holder text,
  lease_until bigint,
  unique (feed_id)
);

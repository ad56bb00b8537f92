-- What walks, probes and explanations need.
alter table feed_spaces add column doubted_at bigint;
alter table feed_spaces add column archived bigint not null default 0;

-- Up to when, by Atlassian's clock, all changes were read.
alter table feeds add column changes_until bigint;

-- When each kind of a space was last read from beginning to end.
create table walked (
  feed_id bigint not null references feeds (id) on delete cascade,
  space_id text not null,
  kind text not null,
  at bigint not null,
  primary key (feed_id, space_id, kind)
);
insert into walked (feed_id, space_id, kind, at)
  select feed_id, space_id, kinds.kind, imported_at
  from feed_spaces
  cross join (select 'page' as kind union select 'blogpost' union select 'comment' union select 'attachment') as kinds
  where imported_at is not null;

update runs set kind = 'walk' where kind = 'resync';

-- What a run did to which document.
create table run_documents (
  run_id bigint not null references runs (id) on delete cascade,
  content_id text not null,
  effect text not null,
  primary key (run_id, content_id)
);

-- What a run has to say to people beyond its counts.
create table run_notes (
  id integer primary key autoincrement,
  run_id bigint not null references runs (id) on delete cascade,
  note text not null
);
create index run_notes_by_run on run_notes (run_id);

-- What must not be found, whether or not the search index has followed already.
create index documents_removed on documents (index_id, sequence) where removed is not null;

-- Counts, and what a walk did not show, without a look at the documents themselves.
drop index documents_by_space;
create index documents_by_space on documents (feed_id, space_id, kind, removed, seen_run, content_id);

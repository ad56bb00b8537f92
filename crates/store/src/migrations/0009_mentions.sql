-- Whom a document's text mentions: it is indexed again when one of them is called otherwise.
create table mentions (
  feed_id bigint not null,
  content_id text not null,
  account text not null,
  primary key (feed_id, content_id, account),
  foreign key (feed_id, content_id) references documents (feed_id, content_id) on delete cascade
) without rowid;
create index mentions_by_account on mentions (account);

-- When a person was last asked for. Without a name: Atlassian had none.
alter table people add column asked_at bigint not null default 0;

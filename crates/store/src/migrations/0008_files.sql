-- What is known of an attachment's bytes: the version that was read or given up, why it has no text, how often Atlassian
-- failed to give it, and when to try again.
alter table documents add column file_version bigint;
alter table documents add column file_why text;
alter table documents add column file_tries bigint not null default 0;
alter table documents add column file_retry_at bigint;
-- Those that wait, and nothing else: the list is short on a site that is read.
create index documents_unread on documents (feed_id, modified_at)
  where kind = 'attachment' and removed is null and file_version is not version;

-- Answers to requests that made something, for whoever sends the same one again within a day.
create table given_answers (
  user_id bigint not null references users (id) on delete cascade,
  -- Of the name that the client gave the request.
  name_digest text not null,
  request_digest text not null,
  -- Null while the request is under way.
  status bigint,
  location text,
  -- Sealed; null of an answer that is not given twice.
  body text,
  claimed_at bigint not null,
  primary key (user_id, name_digest)
) without rowid;
create index given_answers_by_age on given_answers (claimed_at);

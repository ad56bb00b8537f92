//! Answers that are given again.

use async_trait::async_trait;
use domain::{
    Result, Timestamp,
    given_answer::{CUT_OFF_AFTER, Claimed, GIVEN_AGAIN, GivenAnswer, KEPT_MAX, OnceOnly},
    store::GivenAnswers,
};
use sqlx::{Row, sqlite::SqliteRow};

use crate::{SqlStore, dialect::failed, rows::Columns};

#[async_trait]
impl GivenAnswers for SqlStore {
    async fn claim_request(&self, request: &OnceOnly, now: Timestamp) -> Result<Claimed> {
        let mut transaction = self.write.begin().await.map_err(failed)?;
        // Also what a clock that was wrong then dated into the future.
        sqlx::query("delete from given_answers where claimed_at <= $1 or claimed_at > $2")
            .bind(now.minus(GIVEN_AGAIN).0)
            .bind(now.plus(CUT_OFF_AFTER).0)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        sqlx::query(
            "delete from given_answers where user_id = $1 and name_digest = $2 and status is null and claimed_at <= $3",
        )
        .bind(request.user.0)
        .bind(&request.name_digest)
        .bind(now.minus(CUT_OFF_AFTER).0)
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        let known = sqlx::query("select * from given_answers where user_id = $1 and name_digest = $2")
            .bind(request.user.0)
            .bind(&request.name_digest)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(failed)?;
        let claimed = match known {
            Some(row) => self.given_before(&row, request)?,
            None => {
                sqlx::query(
                    "delete from given_answers where user_id = $1 and name_digest in (
                       select name_digest from given_answers where user_id = $1
                       order by claimed_at desc, name_digest limit -1 offset $2)",
                )
                .bind(request.user.0)
                .bind(KEPT_MAX as i64 - 1)
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
                sqlx::query(
                    "insert into given_answers (user_id, name_digest, request_digest, claimed_at) values ($1, $2, $3, $4)",
                )
                .bind(request.user.0)
                .bind(&request.name_digest)
                .bind(&request.request_digest)
                .bind(now.0)
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
                Claimed::New
            }
        };
        transaction.commit().await.map_err(failed)?;
        Ok(claimed)
    }

    async fn keep_answer(&self, request: &OnceOnly, answer: &GivenAnswer) -> Result<()> {
        let place = place(request);
        let body = answer
            .body
            .as_ref()
            .map(|body| self.keys.seal(&place, body))
            .transpose()?;
        let query = sqlx::query(
            "update given_answers set status = $1, location = $2, body = $3
             where user_id = $4 and name_digest = $5 and request_digest = $6",
        );
        let query = query
            .bind(i64::from(answer.status))
            .bind(&answer.location)
            .bind(body)
            .bind(request.user.0)
            .bind(&request.name_digest)
            .bind(&request.request_digest);
        self.change(query).await
    }

    async fn release_request(&self, request: &OnceOnly) -> Result<()> {
        let query = sqlx::query(
            "delete from given_answers
             where user_id = $1 and name_digest = $2 and request_digest = $3 and status is null",
        );
        let query = query
            .bind(request.user.0)
            .bind(&request.name_digest)
            .bind(&request.request_digest);
        self.change(query).await
    }
}

impl SqlStore {
    fn given_before(&self, row: &SqliteRow, request: &OnceOnly) -> Result<Claimed> {
        let columns = Columns(row);
        if columns.text("request_digest")? != request.request_digest {
            return Ok(Claimed::Other);
        }
        let Some(status) = row.try_get::<Option<i64>, _>("status").map_err(failed)? else {
            return Ok(Claimed::UnderWay);
        };
        let body = columns.maybe_text("body")?;
        Ok(Claimed::Answered(GivenAnswer {
            status: u16::try_from(status).unwrap_or_default(),
            location: columns.maybe_text("location")?,
            // One whose key is gone is not given twice either.
            body: body.and_then(|sealed| self.keys.open(&place(request), &sealed).ok()),
        }))
    }
}

/// Where a body is sealed for.
fn place(request: &OnceOnly) -> String {
    format!("given_answers/{}/{}/body", request.user, request.name_digest)
}

#[cfg(test)]
mod tests {
    use domain::{
        Secret, UserId,
        store::{NewUser, Users},
        user::Role,
    };

    use super::*;
    use crate::{SealingKey, SealingKeys};

    async fn store_and_user() -> (SqlStore, UserId) {
        let store = SqlStore::in_memory(SealingKeys::new(SealingKey::generate()))
            .await
            .unwrap();
        let user = NewUser {
            email: "ann@example.org",
            name: "Ann",
            password_hash: "none",
            role: Role::Admin,
            first_only: false,
        };
        let user = store.create_user(&user, Timestamp(0)).await.unwrap().id;
        (store, user)
    }

    fn request(user: UserId, name: &str, asks: &str) -> OnceOnly {
        OnceOnly {
            user,
            name_digest: name.into(),
            request_digest: asks.into(),
        }
    }

    #[tokio::test]
    async fn an_answer_is_given_again_for_a_day() {
        let (store, user) = store_and_user().await;
        let (once, now) = (request(user, "a", "make"), Timestamp(1_000_000));
        assert_eq!(store.claim_request(&once, now).await.unwrap(), Claimed::New);
        assert_eq!(store.claim_request(&once, now).await.unwrap(), Claimed::UnderWay);
        let answer = GivenAnswer {
            status: 201,
            location: Some("/api/v1/indexes/1".into()),
            body: Some(Secret::new("the index")),
        };
        store.keep_answer(&once, &answer).await.unwrap();
        let kept = sqlx::query("select body from given_answers")
            .fetch_one(&store.read)
            .await
            .unwrap();
        assert!(!Columns(&kept).text("body").unwrap().contains("index"), "it is sealed");
        let later = now.plus(GIVEN_AGAIN).minus(std::time::Duration::from_secs(1));
        assert_eq!(
            store.claim_request(&once, later).await.unwrap(),
            Claimed::Answered(answer)
        );
        let other = request(user, "a", "make another");
        assert_eq!(store.claim_request(&other, later).await.unwrap(), Claimed::Other);
        assert_eq!(
            store.claim_request(&other, now.plus(GIVEN_AGAIN)).await.unwrap(),
            Claimed::New
        );
    }

    #[tokio::test]
    async fn what_failed_or_was_cut_off_may_be_tried_again() {
        let (store, user) = store_and_user().await;
        let (once, now) = (request(user, "a", "make"), Timestamp(1_000_000));
        store.claim_request(&once, now).await.unwrap();
        store.release_request(&once).await.unwrap();
        assert_eq!(store.claim_request(&once, now).await.unwrap(), Claimed::New);
        assert_eq!(
            store.claim_request(&once, now.plus(CUT_OFF_AFTER)).await.unwrap(),
            Claimed::New
        );
        let answer = GivenAnswer {
            status: 201,
            location: None,
            body: None,
        };
        store.keep_answer(&once, &answer).await.unwrap();
        store.release_request(&once).await.unwrap();
        let much_later = now.plus(CUT_OFF_AFTER * 9);
        assert_eq!(
            store.claim_request(&once, much_later).await.unwrap(),
            Claimed::Answered(answer)
        );
    }

    #[tokio::test]
    async fn the_oldest_of_too_many_are_forgotten() {
        let (store, user) = store_and_user().await;
        for number in 0..=KEPT_MAX as i64 {
            let once = request(user, &format!("n{number:05}"), "make");
            store.claim_request(&once, Timestamp(1_000_000 + number)).await.unwrap();
        }
        let row = sqlx::query("select count(*), min(name_digest) from given_answers")
            .fetch_one(&store.read)
            .await
            .unwrap();
        assert_eq!(row.get::<i64, _>(0), KEPT_MAX as i64);
        assert_eq!(row.get::<String, _>(1), "n00001");
    }
}

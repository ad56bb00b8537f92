//! What an administrator sets in the app.

use async_trait::async_trait;
use domain::{
    Result,
    store::{AtlassianApp, Settings},
};

use crate::{SqlStore, dialect::failed, rows::Columns};

const CLIENT_ID: &str = "atlassian_client_id";
const CLIENT_SECRET: &str = "atlassian_client_secret";
const PLACE: &str = "settings/atlassian_client_secret";

#[async_trait]
impl Settings for SqlStore {
    async fn atlassian_app(&self) -> Result<Option<AtlassianApp>> {
        let client_id = self.setting(CLIENT_ID).await?;
        let client_secret = self.setting(CLIENT_SECRET).await?;
        client_id
            .zip(client_secret)
            .map(|(client_id, sealed)| {
                Ok(AtlassianApp {
                    client_id,
                    client_secret: self.keys.open(PLACE, &sealed)?,
                })
            })
            .transpose()
    }

    async fn set_atlassian_app(&self, app: &AtlassianApp) -> Result<()> {
        let mut transaction = self.write.begin().await.map_err(failed)?;
        let sealed = self.keys.seal(PLACE, &app.client_secret)?;
        for (name, value) in [(CLIENT_ID, &app.client_id), (CLIENT_SECRET, &sealed)] {
            sqlx::query("insert into settings (name, value) values ($1, $2) on conflict (name) do update set value = excluded.value")
                .bind(name)
                .bind(value)
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)
    }

    async fn probe(&self) -> Result<()> {
        // Committed: what is rolled back never reaches the disk, and proves nothing of it.
        let probe =
            "insert into settings (name, value) values ('probe', '') on conflict (name) do update set value = ''";
        self.change(sqlx::query(probe)).await
    }
}

impl SqlStore {
    async fn setting(&self, name: &str) -> Result<Option<String>> {
        let row = sqlx::query("select value from settings where name = $1")
            .bind(name)
            .fetch_optional(&self.read)
            .await;
        row.map_err(failed)?.map(|row| Columns(&row).text("value")).transpose()
    }
}

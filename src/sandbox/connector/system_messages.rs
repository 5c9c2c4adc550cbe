//! Texts of external systems: each family of plugins has its own.

use super::messages::{CONNECT, FaultContext};

impl FaultContext<'_> {
    /// Returns the text with which the external system rejects a wrong password (pattern 8).
    pub(super) fn credentials_refusal(&self) -> String {
        let (class, user) = (self.plugin.class(), self.user());
        match () {
            () if class.contains("Postgres") => format!("FATAL: password authentication failed for user \"{user}\""),
            () if class.contains("MySql") => {
                format!("Access denied for user '{user}'@'10.0.12.7' (using password: YES)")
            }
            () if class.contains("SqlServer") => format!("Login failed for user '{user}'."),
            () if class.contains("Oracle") => "ORA-01017: invalid username/password; logon denied".to_owned(),
            () if class.contains("AlloyDb") || class.contains("Redshift") => {
                format!("FATAL: password authentication failed for user \"{user}\"")
            }
            () if class.contains("SqlDw") => format!("Login failed for user '{user}'."),
            () if class.contains("Mongo") => "Command failed with error 18 (AuthenticationFailed)".to_owned(),
            () if class.contains("Snowflake") => "Incorrect username or password was specified.".to_owned(),
            () if class.contains("Redis") => "WRONGPASS invalid username-password pair or user is disabled.".to_owned(),
            () if class.contains("Sftp") => "com.jcraft.jsch.JSchException: Auth fail".to_owned(),
            () if class.contains("Salesforce") => {
                "INVALID_LOGIN: Invalid username, password, security token; or user locked out.".to_owned()
            }
            () if self.is_aws() => "com.amazonaws.services.s3.model.AmazonS3Exception: The AWS Access Key Id you \
                                    provided does not exist in our records. (Service: Amazon S3; Status Code: 403; \
                                    Error Code: InvalidAccessKeyId)"
                .to_owned(),
            () => "401 Unauthorized: the credentials were not accepted".to_owned(),
        }
    }

    fn is_aws(&self) -> bool {
        self.plugin.class().starts_with("S3")
    }

    /// Returns the error of a connector whose position is no longer in the log of the database. Debezium has one text for
    /// all databases.
    pub(super) fn purged_log(&self) -> String {
        if self.plugin.class().starts_with("MongoDbAtlas") {
            return "com.mongodb.MongoCommandException: Command failed with error 286 (ChangeStreamHistoryLost): 'Resume of \
                    change stream was not possible, as the resume point may no longer be in the oplog.'"
                .to_owned();
        }
        format!(
            "{CONNECT}.ConnectException: The connector is trying to read change stream starting at a position, but this is \
             no longer available on the server. Reconfigure the connector to use a snapshot mode when needed."
        )
    }

    pub(super) fn storage_refusal(&self) -> String {
        let class = self.plugin.class();
        match () {
            () if class.contains("Gcs") || class.contains("BigQuery") => {
                "com.google.cloud.storage.StorageException: 403 Forbidden: the account does not have \
                 storage.objects.create access to the bucket"
                    .to_owned()
            }
            () if class.contains("Az") => {
                "com.azure.storage.blob.models.BlobStorageException: Status code 403, AuthorizationFailure".to_owned()
            }
            () => "com.amazonaws.services.s3.model.AmazonS3Exception: Access Denied (Service: Amazon S3; Status Code: \
                   403; Error Code: AccessDenied)"
                .to_owned(),
        }
    }
}

/// A policy object ("Richtlinien-Objekt"), with the fields that only the list of the create call
/// and real servers have.
package struct WirePolicy: WireObject {
    package struct Fields: Sendable {
        package let companyID = WireField<Int64>("company_id")
        package let adEnabled = WireField<Bool>("ad_enabled")
        package let adminBrowseFiles = WireField<Bool>("admin_browse_files")
        package let adminBrowseRemote = WireField<Bool>("admin_browse_remote")
        package let adminCreateUsers = WireField<Bool>("admin_create_users")
        package let backupsEnabled = WireField<Bool>("backups_enabled")
        package let brandingEnabled = WireField<Bool>("branding_enabled")
        /// Days; null or empty for never.
        package let changePasswordFrequency = WireField<LenientInteger>("change_password_frequency")
        /// Days after which an unused token ends.
        package let deactivateTokenFrequency = WireField<LenientInteger>(
            "deactivate_token_frequency")
        /// Comma-separated, each with its dot.
        package let excludedExtensions = WireField<String>("excluded_extensions")
        package let fileServerEnabled = WireField<Bool>("file_server_enabled")
        /// Comma-separated, each with its dot.
        package let lockedExtensions = WireField<String>("locked_extensions")
        /// In MB.
        package let maxFileSize = WireField<LenientInteger>("max_file_size")
        package let monthlyCostCents = WireField<LenientInteger>("monthly_cost_cents")
        package let monthlyCostCurrency = WireField<String>("monthly_cost_currency")
        package let maximumOrganizations = WireField<LenientInteger>("num_orgs_maximum")
        /// 0 and empty for no limit.
        package let maximumUsers = WireField<LenientInteger>("num_users_maximum")
        package let minimumUsers = WireField<LenientInteger>("num_users_minimum")
        package let psaEnabled = WireField<Bool>("psa_enabled")
        package let purgeDeleted = WireField<Bool>("purge_deleted")
        /// Days.
        package let purgeDeletedFrequency = WireField<LenientInteger>("purge_deleted_frequency")
        package let requireMobileLock = WireField<Bool>("require_mobile_lock")
        package let requireTwoStepAuth = WireField<Bool>("require_two_step_auth")
        package let secureShares = WireField<Bool>("secure_shares")
        package let servicePlansEnabled = WireField<Bool>("service_plans_enabled")
        /// Bytes; the document's sample sends digits in a string.
        package let spaceQuota = WireField<LenientInteger>("space_quota")
        package let spaceQuotaFormatted = WireField<String>("space_quota_formatted")
        package let trialLengthDays = WireField<LenientInteger>("trial_length_days")
        package let trimRevisions = WireField<Bool>("trim_revisions")
        package let trimRevisionsDays = WireField<LenientInteger>("trim_revisions_x")
        package let userCreateBackups = WireField<Bool>("user_create_backups")
        package let userCreateShares = WireField<Bool>("user_create_shares")
        package let userLockFiles = WireField<Bool>("user_lock_files")
        package let userOverwriteCollisions = WireField<Bool>("user_overwrite_collisions")
        package let userPurgeDeleted = WireField<Bool>("user_purge_deleted")
        package let userTrimRevisions = WireField<Bool>("user_trim_revisions")
        package let webPreviewEnabled = WireField<Bool>("web_preview_enabled")
        package let webdavEnabled = WireField<Bool>("webdav_enabled")
    }

    package static let names = Fields()
    /// The document gives the object no number of its own.
    package static var required: [String] { [] }

    package var fields: [String: JSONValue]

    package init(fields: [String: JSONValue]) { self.fields = fields }

    package init() { fields = ["type": .text("policy")] }
}

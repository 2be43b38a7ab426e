/// The example objects of the API document as they stand there; left out are the placeholders for
/// nested objects and the tails of two long lists, and one backslash is mended.
enum DocumentSamples {
    static let root = #"""
        {
            "children": [
            ],
            "hash": "<hash>",
            "id": 1,
            "is_locked": false,
            "name": "Example Files",
            "path": "/",
            "permissions": [
                "FILE_VIEW",
                "FILE_READ",
                "FILE_WRITE"
            ],
            "root_type": "sync",
            "space_used": 10000,
            "space_used_formatted": "10k",
            "type": "root"
        }
        """#

    static let file = #"""
        {
            "created": "2015-01-01T01:02:03",
            "id": 1,
            "is_deleted": false,
            "is_locked": false,
            "modified": "2015-01-01T02:03:04",
            "path": "/path/to/file.ext",
            "permissions": [
                "FILE_VIEW",
                "FILE_READ",
                "FILE_WRITE"
            ],
            "revision_id": 1,
            "root_id": 1,
            "size": 12205,
            "size_formatted": "11.92k",
            "type": "file"
        }
        """#

    static let folder = #"""
        {
            "children": [
            ],
            "hash": "<hash>",
            "id": 1,
            "is_deleted": false,
            "is_locked": false,
            "path": "/path/to/name",
            "permissions": [
                "FILE_VIEW",
                "FILE_READ",
                "FILE_WRITE"
            ],
            "root_id": 1,
            "type": "folder"
        }
        """#

    static let fileShare = #"""
        {
            "creator_id": 2,
            "delete_access": false,
            "expires": null,
            "file_id": 4,
            "folder_id": null,
            "hash": "06d0d4833ea65c",
            "id": 7,
            "read_access": true,
            "root_id": 3,
            "type": "share",
            "write_access": false
        }
        """#

    static let spaceUsage = #"""
        {
            "del_file_count": 5,
            "del_revision_count": 5,
            "deleted_size": 395168,
            "deleted_size_formatted": "385.91 KB",
            "file_count": 504,
            "head_size": 41533273,
            "head_size_formatted": "39.61 MB",
            "physical_size": 43199769,
            "physical_size_formatted": "41.20 MB",
            "revision_count": 2275,
            "revision_size": 1271328,
            "revision_size_formatted": "1.21 MB",
            "root_count": 21,
            "type": "root_space_usage"
        }
        """#

    static let organization = #"""
        {
            "active": true,
            "bandwidth_throttle": null,
            "created": "2013-10-08T05:45:40",
            "default_encryption": 1,
            "description": "",
            "email": "organization@example.com",
            "email_server_id": null,
            "email_templates": false,
            "hostname": "",
            "id": 2,
            "name": "Example Organization",
            "parent_id": 1,
            "plan_id": null,
            "policy": {
            },
            "privacy_mode": false,
            "share_disclaimer": null,
            "slug": "example-organization",
            "subscription_uuid": null,
            "throttle_exception_days": null,
            "throttle_exception_dow": null,
            "throttle_exception_end": null,
            "throttle_exception_start": null,
            "throttle_exception_throttle": null,
            "throttled": false,
            "trial_until": null,
            "type": "organization"
        }
        """#

    static let policy = #"""
        {
            "ad_enabled": true,
            "admin_browse_files": true,
            "admin_browse_remote": true,
            "admin_create_users": true,
            "backups_enabled": true,
            "branding_enabled": true,
            "change_password_frequency": null,
            "company_id": 2,
            "deactivate_token_frequency": "",
            "excluded_extensions": ".$$,.$db,.113,.3g2,.3gp,.3gp2",
            "file_server_enabled": false,
            "locked_extensions": ".doc,.docx,.xls,.xlsx,.ppt,.pptx",
            "max_file_size": 1,
            "monthly_cost_cents": 0,
            "monthly_cost_currency": "",
            "num_orgs_maximum": 10,
            "num_users_maximum": 0,
            "num_users_minimum": 0,
            "psa_enabled": true,
            "purge_deleted": false,
            "purge_deleted_frequency": "",
            "require_mobile_lock": true,
            "require_two_step_auth": false,
            "secure_shares": false,
            "service_plans_enabled": false,
            "space_quota": "1073741824",
            "trial_length_days": 30,
            "trim_revisions": false,
            "trim_revisions_x": "",
            "type": "policy",
            "user_create_backups": true,
            "user_create_shares": true,
            "user_lock_files": true,
            "user_purge_deleted": false,
            "user_trim_revisions": false,
            "webdav_enabled": true
        }
        """#

    static let usageCounts = #"""
        {
            "accounts": 11,
            "admin_accounts": 5,
            "groups": 8,
            "guests": 4,
            "machines": 6,
            "organizations": 7,
            "type": "organization_usage_counts"
        }
        """#

    static let person = #"""
        {
            "can_share": true,
            "company_policy": {
            },
            "display_name": "First Last",
            "email": "user@example.com",
            "first_name": "First",
            "id": 1,
            "last_name": "Last",
            "root_id": 1,
            "roots": [
            ],
            "space_quota": 10000,
            "space_quota_formatted": "10k",
            "space_usage": 100,
            "space_usage_formatted": "100b",
            "type": "person",
            "username": ""
        }
        """#

    static let guest = #"""
        {
            "active": true,
            "company_id": 1,
            "created": "2015-01-01T01:02:03",
            "creator_id": 1,
            "email": "guest@example.com",
            "first_name": "First",
            "id": 1,
            "last_name": "Last",
            "type": "guest"
        }
        """#

    static let group = #"""
        {
            "active": true,
            "company_id": 2,
            "created": "2016-03-30T05:57:23",
            "id": 1,
            "name": "Example Group",
            "type": "group"
        }
        """#

    static let machine = #"""
        {
            "agent_version": null,
            "bandwidth_throttle": null,
            "created": "2015-01-01T01:02:03",
            "dns_name": "Google Nexus 6",
            "guid": "794f7f67-3bd6-407c-9274-be735b880143",
            "health_report_period_minutes": null,
            "id": 1,
            "last_disconnect": null,
            "last_login": null,
            "locked": false,
            "machine_type": "mobile",
            "manual_collisions": true,
            "nickname": null,
            "os_type": "android",
            "os_version": "5.1.0",
            "throttle_exception_days": null,
            "throttle_exception_dow": null,
            "throttle_exception_end": null,
            "throttle_exception_start": null,
            "throttle_exception_throttle": null,
            "throttled": false,
            "type": "machine"
        }
        """#

    static let mapping = #"""
        {
            "id": 1234,
            "machine_id": 1,
            "name": "Example Share",
            "path": "C:\\Example1",
            "person_id": null,
            "root_id": 2,
            "share": true,
            "type": "machine_mapping"
        }
        """#

    static let backup = #"""
        {
            "id": 1234,
            "machine_id": 1,
            "path": "C:\\Example",
            "type": "backup"
        }
        """#

    static let activity = #"""
        {
            "acted_on_company_id": 1,
            "acted_on_group_id": null,
            "acted_on_guest_id": null,
            "acted_on_machine_id": null,
            "acted_on_person_id": null,
            "acted_on_root_id": null,
            "acted_on_text": "Example Company",
            "acted_on_type": "site",
            "action_text": null,
            "activity_type_id": 8,
            "actor_company_id": null,
            "actor_guest_id": null,
            "actor_machine_id": null,
            "actor_person_id": 1,
            "actor_text": "First Last",
            "actor_type": "person",
            "created": "2015-01-01T01:02:03",
            "data_text": "increased from 4.00G to 100.00G",
            "id": 123,
            "processed": true,
            "type": "activity"
        }
        """#

    static let activityType = #"""
        {
            "activity": "added organization",
            "id": 3,
            "machine_scope": false,
            "system_scope": false,
            "type": "activity_type",
            "user_scope": false
        }
        """#

    static let authSource = #"""
        {
            "domain": "example.com",
            "host": "localhost",
            "id": 1,
            "login": "example",
            "machine_id": null,
            "port": null,
            "protocol": null,
            "ssl": false,
            "type": "auth_source"
        }
        """#

    static let subscribers = #"""
        {
            "external_subscribers": {"one@example.com": "invited",
                "two@example.com": "accepted"},
            "from_group": [[2, "web", "COLLABORATOR"],
                [2, "webdav", "COLLABORATOR"],
                [2, "future", "COLLABORATOR"]],
            "group_subscribers": [[1, "web", "COLLABORATOR"],
                [1, "webdav", "COLLABORATOR"],
                [1, "machines", "COLLABORATOR"]],
            "subscribers": [[1, "web", "COLLABORATOR"],
                [3, "web", "COLLABORATOR"],
                [3, "future", "COLLABORATOR"]]
        }
        """#

    static let members = #"""
        {
            "member_groups": [
                2
            ],
            "member_groups_from_group": [
                3
            ],
            "members": [
                2,
                3
            ],
            "members_from_group": [
                1
            ]
        }
        """#

    static let machineStatus = #"""
        {
            "results": {
                "subscriptions": [
                    {
                        "excl_files": 1,
                        "rsub_id": 1234,
                        "synced": true,
                        "synced_folder": "C:\\Example"
                    }
                ],
                "synced": true,
                "transfers": []
            }
        }
        """#
}

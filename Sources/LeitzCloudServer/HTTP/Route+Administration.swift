import HTTPTypes
import LeitzCloudAPI

/// The calls of the administrative chapters of API v2.
enum AdministrativeCall: Sendable {
    case organization(Int64, OrganizationCall)
    case organizationByKey(String)
    case person(Route.PersonSelector)
    case createPerson
    case ofPerson(Int64, PersonCall)
    case guest(Administrator.GuestSelector)
    case createGuest
    case ofGuest(Int64, GuestCall)
    case createGroup
    case group(Int64, GroupCall)
    case machine(Int64, MachineCall)
    case activity(Int64)
    case activityTypes
    case createActivity

    enum OrganizationCall: Sendable {
        case get, update, disable, enable, delete, updatePolicy
        case organizations, createOrganization
        case roots, shares, machines, persons, guests, groups, authSources, activity, usage
        case root(Int64)
        case createShare
        case share(Int64), updateShare(Int64), deleteShare(Int64)
        case subscribers(Int64), updateSubscribers(Int64)
    }

    enum PersonCall: Sendable { case update, delete, createRoot, activity }

    enum GuestCall: Sendable { case update, delete, shares, convert }

    enum GroupCall: Sendable { case get, update, members, updateMembers, delete }

    enum MachineCall: Sendable {
        case get, status, enableServer, disableServer, list
        case mappings, createMapping, mapping(Int64), deleteMapping(Int64)
        case backups, createBackup, backup(Int64), restoreBackup(Int64), deleteBackup(Int64)
    }
}

extension AdministrativeCall {
    /// What an address asks for and how; nil where there is no such address.
    ///
    /// - Parameter parts: of the path behind `/api/2`, still percent-encoded.
    static func parse(_ parts: [String]) -> (AdministrativeCall, HTTPRequest.Method)? {
        guard let kind = parts.first else { return nil }
        let words = Array(parts.dropFirst())
        switch kind {
        case "organization": return organization(words)
        case "person": return person(words)
        case "guest": return guest(words)
        case "group": return group(words)
        case "machine": return machine(words)
        case "activity": return activity(words)
        default: return nil
        }
    }

    private static func text(_ part: String) -> String? {
        do throws(APIError) {
            return try PercentEncoding.decode(part, plusIsSpace: false)
        } catch {
            return nil
        }
    }

    private static func organization(_ words: [String]) -> (AdministrativeCall, HTTPRequest.Method)?
    {
        guard let first = words.first else { return nil }
        guard let id = Int64(first) else {
            guard words.count == 1, let key = text(first) else { return nil }
            return (.organizationByKey(key), .get)
        }
        let rest = Array(words.dropFirst())
        let found: (OrganizationCall, HTTPRequest.Method)? =
            switch rest.joined(separator: "/") {
            case "": (.get, .get)
            case "update": (.update, .post)
            case "disable": (.disable, .post)
            case "enable": (.enable, .post)
            case "delete": (.delete, .post)
            case "policy/update": (.updatePolicy, .post)
            case "organizations": (.organizations, .get)
            case "organizations/create": (.createOrganization, .post)
            case "roots": (.roots, .get)
            case "shares": (.shares, .get)
            case "shares/create": (.createShare, .post)
            case "machines": (.machines, .get)
            case "persons": (.persons, .get)
            case "guests": (.guests, .get)
            case "groups": (.groups, .get)
            case "auth_sources": (.authSources, .get)
            case "activity": (.activity, .get)
            case "metrics/usage": (.usage, .get)
            default: root(rest)
            }
        return found.map { (.organization(id, $0.0), $0.1) }
    }

    private static func root(_ words: [String]) -> (OrganizationCall, HTTPRequest.Method)? {
        guard words.count >= 2, let id = Int64(words[1]) else { return nil }
        return switch ([words[0]] + words[2...]).joined(separator: "/") {
        case "root": (.root(id), .get)
        case "share": (.share(id), .get)
        case "share/update": (.updateShare(id), .post)
        case "share/delete": (.deleteShare(id), .post)
        case "share/subscribers": (.subscribers(id), .get)
        case "share/subscribers/update": (.updateSubscribers(id), .post)
        default: nil
        }
    }

    private static func person(_ words: [String]) -> (AdministrativeCall, HTTPRequest.Method)? {
        guard let first = words.first else { return (.person(.caller), .get) }
        if words == ["create"] { return (.createPerson, .post) }
        guard let id = Int64(first) else {
            guard words.count == 1, let email = text(first) else { return nil }
            return (.person(.email(email)), .get)
        }
        return switch words.dropFirst().joined(separator: "/") {
        case "": (.person(.id(id)), .get)
        case "update": (.ofPerson(id, .update), .post)
        case "delete": (.ofPerson(id, .delete), .post)
        case "roots/create": (.ofPerson(id, .createRoot), .post)
        case "activity": (.ofPerson(id, .activity), .get)
        default: nil
        }
    }

    private static func guest(_ words: [String]) -> (AdministrativeCall, HTTPRequest.Method)? {
        guard let first = words.first else { return nil }
        if words == ["create"] { return (.createGuest, .post) }
        guard let id = Int64(first) else {
            guard words.count == 1, let email = text(first) else { return nil }
            return (.guest(.email(email)), .get)
        }
        return switch words.dropFirst().joined(separator: "/") {
        case "": (.guest(.id(id)), .get)
        case "update": (.ofGuest(id, .update), .post)
        case "delete": (.ofGuest(id, .delete), .post)
        case "shares": (.ofGuest(id, .shares), .get)
        case "convert": (.ofGuest(id, .convert), .post)
        default: nil
        }
    }

    private static func group(_ words: [String]) -> (AdministrativeCall, HTTPRequest.Method)? {
        if words == ["create"] { return (.createGroup, .post) }
        guard let id = words.first.flatMap({ Int64($0) }) else { return nil }
        let found: (GroupCall, HTTPRequest.Method)? =
            switch words.dropFirst().joined(separator: "/") {
            case "": (.get, .get)
            case "update": (.update, .post)
            case "members": (.members, .get)
            case "members/update": (.updateMembers, .post)
            case "delete": (.delete, .post)
            default: nil
            }
        return found.map { (.group(id, $0.0), $0.1) }
    }

    private static func machine(_ words: [String]) -> (AdministrativeCall, HTTPRequest.Method)? {
        guard let id = words.first.flatMap({ Int64($0) }) else { return nil }
        let rest = Array(words.dropFirst())
        let found: (MachineCall, HTTPRequest.Method)? =
            switch rest.joined(separator: "/") {
            case "": (.get, .get)
            case "status": (.status, .get)
            case "server/enable": (.enableServer, .post)
            case "server/disable": (.disableServer, .post)
            case "ls": (.list, .post)
            case "mappings": (.mappings, .get)
            case "mappings/create": (.createMapping, .post)
            case "backups": (.backups, .get)
            case "backups/create": (.createBackup, .post)
            default: numbered(rest)
            }
        return found.map { (.machine(id, $0.0), $0.1) }
    }

    private static func numbered(_ words: [String]) -> (MachineCall, HTTPRequest.Method)? {
        guard words.count >= 2, let id = Int64(words[1]) else { return nil }
        return switch ([words[0]] + words[2...]).joined(separator: "/") {
        case "mapping": (.mapping(id), .get)
        case "mapping/delete": (.deleteMapping(id), .post)
        case "backup": (.backup(id), .get)
        case "backup/restore": (.restoreBackup(id), .post)
        case "backup/delete": (.deleteBackup(id), .post)
        default: nil
        }
    }

    private static func activity(_ words: [String]) -> (AdministrativeCall, HTTPRequest.Method)? {
        switch words {
        case ["types"]: (.activityTypes, .get)
        case ["create"]: (.createActivity, .post)
        default:
            words.count == 1 ? Int64(words[0]).map { (.activity($0), .get) } : nil
        }
    }
}

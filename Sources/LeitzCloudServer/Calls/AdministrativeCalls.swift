import GRDB
import HummingbirdCore
import LeitzCloudAPI
import NIOCore

/// Runs the calls of the administrative chapters: each in one read or one write of the database.
struct AdministrativeCalls: Sendable {
    let services: CloudServices
    let context: CallContext

    /// - Parameter fields: of the query of a GET, of the body of a POST.
    func run(_ call: AdministrativeCall, _ fields: FormFields, changes: Bool) async throws
        -> Response
    {
        let context = context
        guard changes else {
            let body = try await services.database.read { db in
                try call.answer(Administrator(db, context), fields)
            }
            return Response(json: body)
        }
        let password = try await password(call, fields)
        let body = try await services.database.write { db in
            try call.perform(Administrator(db, context), fields, password)
        }
        services.outbox.send(context.letters)
        return Response(json: body)
    }

    /// The hash is made before the write, for callers that are signed in only: it takes long.
    private func password(_ call: AdministrativeCall, _ fields: FormFields) async throws
        -> NewPassword?
    {
        switch call {
        case .createPerson, .createGuest, .ofPerson(_, .update), .ofGuest(_, .update): break
        default: return nil
        }
        let context = context
        try await services.database.read { _ = try Administrator($0, context) }
        return try await NewPassword.make(fields, services.passwords, now: context.now)
    }
}

extension AdministrativeCall {
    /// The body of the answer to a call that only asks.
    fileprivate func answer(_ caller: Administrator, _ query: FormFields) throws -> ByteBuffer {
        switch self {
        case .organization(let id, let call):
            return try Self.answer(caller, organization: id, call, query)
        case .organizationByKey(let key):
            return try JSONText.encode(caller.organization(licenseKey: key))
        case .person(let selector): return try JSONText.encode(caller.person(selector))
        case .ofPerson(let id, .activity):
            return try JSONText.encode(caller.activity(ofPerson: id, PageRange(query)))
        case .guest(let selector): return try JSONText.encode(caller.guest(selector))
        case .ofGuest(let id, .shares):
            return try JSONText.encode(WireResult(results: caller.shares(ofGuest: id)))
        case .group(let id, .get): return try JSONText.encode(caller.group(id))
        case .group(let id, .members):
            let deep = try query.flag("include_from_group", default: false)
            return try JSONText.encode(caller.members(of: id, includesGroups: deep))
        case .machine(let id, let call): return try Self.answer(caller, machine: id, call)
        case .activity(let id): return try JSONText.encode(caller.activity(id))
        case .activityTypes:
            return try JSONText.encode(WireResult(results: caller.activityTypes()))
        default: throw APIError.notFound
        }
    }

    private static func answer(
        _ caller: Administrator, organization id: Int64, _ call: OrganizationCall,
        _ query: FormFields
    ) throws -> ByteBuffer {
        let page = try PageRange(query)
        switch call {
        case .get: return try JSONText.encode(caller.organization(id))
        case .organizations:
            return try JSONText.encode(caller.organizations(below: id, page))
        case .roots: return try JSONText.encode(caller.roots(of: id, kind: nil, page))
        case .shares: return try JSONText.encode(caller.roots(of: id, kind: "share", page))
        case .root(let root): return try JSONText.encode(caller.administeredRoot(root, of: id))
        case .share(let root): return try JSONText.encode(caller.share(root, of: id))
        case .subscribers(let root):
            let deep = try query.flag("include_from_group", default: false)
            return try JSONText.encode(
                caller.subscribers(of: root, in: id, includesGroups: deep))
        case .machines: return try JSONText.encode(caller.machines(of: id, page))
        case .persons: return try JSONText.encode(caller.persons(of: id, page))
        case .guests: return try JSONText.encode(caller.guests(of: id, page))
        case .groups: return try JSONText.encode(caller.groups(of: id, page))
        case .authSources: return try JSONText.encode(caller.authSources(of: id, page))
        case .activity: return try JSONText.encode(caller.activity(of: id, page))
        case .usage: return try JSONText.encode(caller.usage(of: id))
        default: throw APIError.notFound
        }
    }

    private static func answer(_ caller: Administrator, machine id: Int64, _ call: MachineCall)
        throws -> ByteBuffer
    {
        switch call {
        case .get: return try JSONText.encode(caller.machine(id))
        case .status:
            return try JSONText.encode(WireResult(results: caller.status(ofMachine: id)))
        case .mappings: return try JSONText.encode(WireResult(results: caller.mappings(of: id)))
        case .mapping(let mapping): return try JSONText.encode(caller.mapping(mapping, of: id))
        case .backups: return try JSONText.encode(WireResult(results: caller.backups(of: id)))
        case .backup(let root): return try JSONText.encode(caller.backup(root, of: id))
        default: throw APIError.notFound
        }
    }

    /// The body of the answer to a call that changes something, after the change.
    fileprivate func perform(
        _ caller: Administrator, _ form: FormFields, _ password: NewPassword?
    ) throws -> ByteBuffer {
        switch self {
        case .organization(let id, let call):
            return try Self.perform(caller, organization: id, call, form)
        case .createPerson: return try JSONText.encode(caller.createPerson(form, password))
        case .ofPerson(let id, .update):
            return try JSONText.encode(caller.updatePerson(id, form, password))
        case .ofPerson(let id, .delete): try caller.deletePerson(id, form)
        case .ofPerson(let id, .createRoot):
            return try JSONText.encode(caller.createOwnRoot(person: id, form))
        case .createGuest: return try JSONText.encode(caller.createGuest(form, password))
        case .ofGuest(let id, .update):
            return try JSONText.encode(caller.updateGuest(id, form, password))
        case .ofGuest(let id, .delete): try caller.deleteGuest(id)
        case .ofGuest(let id, .convert): return try JSONText.encode(caller.convertGuest(id))
        case .createGroup: return try JSONText.encode(caller.createGroup(form))
        case .group(let id, .update): return try JSONText.encode(caller.updateGroup(id, form))
        case .group(let id, .updateMembers): try caller.updateMembers(of: id, form)
        case .group(let id, .delete): try caller.deleteGroup(id, form)
        case .machine(let id, let call): return try Self.perform(caller, machine: id, call, form)
        case .createActivity: return try JSONText.encode(caller.createActivity(form))
        default: throw APIError.notFound
        }
        return try JSONText.encode(WireStatus.ok)
    }

    private static func perform(
        _ caller: Administrator, organization id: Int64, _ call: OrganizationCall,
        _ form: FormFields
    ) throws -> ByteBuffer {
        switch call {
        case .update: return try JSONText.encode(caller.updateOrganization(id, form))
        case .updatePolicy: return try JSONText.encode(caller.updatePolicy(id, form))
        case .createOrganization:
            return try JSONText.encode(caller.createOrganization(below: id, form))
        case .createShare: return try JSONText.encode(caller.createShare(in: id, form))
        case .updateShare(let root):
            return try JSONText.encode(caller.updateShare(root, of: id, form))
        case .disable: try caller.setActive(false, organization: id)
        case .enable: try caller.setActive(true, organization: id)
        case .delete: try caller.deleteOrganization(id)
        case .deleteShare(let root): try caller.deleteShare(root, of: id, form)
        case .updateSubscribers(let root):
            try caller.updateSubscribers(of: root, in: id, form)
        default: throw APIError.notFound
        }
        return try JSONText.encode(WireStatus.ok)
    }

    private static func perform(
        _ caller: Administrator, machine id: Int64, _ call: MachineCall, _ form: FormFields
    ) throws -> ByteBuffer {
        switch call {
        case .list:
            return try JSONText.encode(WireResult(results: caller.list(machine: id, form)))
        case .createMapping: return try JSONText.encode(caller.createMapping(of: id, form))
        case .createBackup: return try JSONText.encode(caller.createBackup(of: id, form))
        case .restoreBackup(let root):
            return try JSONText.encode(caller.restoreBackup(root, of: id, form))
        case .enableServer: try caller.setServer(true, machine: id)
        case .disableServer: try caller.setServer(false, machine: id)
        case .deleteMapping(let mapping): try caller.deleteMapping(mapping, of: id)
        case .deleteBackup(let root): try caller.deleteBackup(root, of: id)
        default: throw APIError.notFound
        }
        return try JSONText.encode(WireStatus.ok)
    }
}

/// Hears that the server has something new.
///
/// Calls may come from any thread and return at once.
package protocol ChangeListener: Sendable {
    /// From now on changes are told; what happened before may have been missed.
    func connected()

    /// Something may have changed.
    func changed()
}

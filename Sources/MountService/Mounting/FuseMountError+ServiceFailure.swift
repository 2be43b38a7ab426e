import FuseAdapter

extension ServiceFailure {
    /// Runs a call of the FUSE adapter, its error told to the person.
    static func translating<Value>(
        _ call: () throws(FuseMountError) -> Value
    ) throws(ServiceFailure) -> Value {
        do throws(FuseMountError) {
            return try call()
        } catch {
            throw ServiceFailure(
                error.message,
                remedy: error.reason == .busy
                    ? "To detach it all the same: ordner unmount --now DIR" : nil)
        }
    }
}

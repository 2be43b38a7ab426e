import FuseAdapter
import Testing

@Suite struct FuseMountOptionsTests {
    @Test func theKernelChecksPermissionsAndReadsAreLarge() {
        let options = FuseMountOptions(mountPoint: "/mnt", fileSystemName: "leitzcloud")
        #expect(
            options.arguments == [
                "ordner", "-o", "fsname=leitzcloud", "-o", "subtype=ordner", "-o",
                "default_permissions", "-o", "max_read=1048576",
            ])
    }

    @Test func switchesAndFurtherOptionsAreAdded() {
        var options = FuseMountOptions(mountPoint: "/mnt", fileSystemName: "x")
        options.allowOther = true
        options.readOnly = true
        options.extra = ["noatime", "context=a"]
        #expect(
            Array(options.arguments.suffix(8)) == [
                "-o", "allow_other", "-o", "ro", "-o", "noatime", "-o", "context=a",
            ])
    }

    @Test func aNameIsNeverTakenForOptions() {
        let options = FuseMountOptions(mountPoint: "/mnt", fileSystemName: #"a,suid\,dev"#)
        #expect(options.arguments[2] == #"fsname=a\,suid\\\,dev"#)
    }

    @Test func nonEmptyIsOursAndNotLibfuses() {
        var options = FuseMountOptions(mountPoint: "/mnt", fileSystemName: "x")
        #expect(!options.allowsNonEmpty)
        options.extra = ["nonempty"]
        #expect(options.allowsNonEmpty)
        #expect(!options.arguments.contains("nonempty"))
    }
}

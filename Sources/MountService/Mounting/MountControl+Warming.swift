import BlockCache
import FileSystemTypes
import VirtualFileSystem

/// `ordner warm`.
extension MountControl {
    /// Seconds until a run that goes on answers how far it is.
    private static let pause = 0.5

    func warm(_ request: ControlRequest) async -> ControlAnswer {
        if request.command == .warm {
            do throws(FileSystemError) {
                let run = try fileSystem.beginWarming(below: request.paths ?? [])
                return await progress(of: run)
            } catch {
                return ControlAnswer(failure: ServiceFailure(error.message))
            }
        }
        guard let run = request.run else {
            return ControlAnswer(failure: ServiceFailure("a run has a number"))
        }
        guard request.command == .warmEnd else { return await progress(of: run) }
        return answer(await fileSystem.endWarming(run), run)
    }

    private func progress(of run: UInt64) async -> ControlAnswer {
        answer(await fileSystem.warming(run, within: Self.pause), run)
    }

    private func answer(_ progress: WarmProgress?, _ run: UInt64) -> ControlAnswer {
        guard let progress else {
            return ControlAnswer(
                failure: ServiceFailure(
                    "the driver has ended the fetching, since nobody asked how far it was",
                    remedy: "Start it again: what was fetched is still here."))
        }
        var report = WarmReport(run: run)
        report.isListing = progress.isListing
        report.isOver = progress.isOver
        report.isCancelled = progress.isCancelled
        report.folders = progress.folders
        report.files = progress.files
        report.bytes = progress.bytes
        report.filesHere = progress.filesHere
        report.bytesHere = progress.bytesHere
        report.filesFetched = progress.filesFetched
        report.bytesFetched = progress.bytesFetched
        report.bytesDone = progress.bytesDone
        report.failureCount = progress.failureCount
        if progress.isOver {
            report.failures = progress.failures.prefix(MountReport.listLimit).map {
                WarmReport.Failure(path: $0.path, reason: $0.reason)
            }
        }
        report.refusedFiles = progress.refusal.files
        report.refusedBytes = progress.refusal.bytes
        report.lackingBytes = progress.refusal.lacking
        report.bound = progress.refusal.files > 0 ? progress.refusal.bound.rawValue : nil
        report.cacheLimit = resources.cache.limit
        return ControlAnswer(warm: report)
    }
}

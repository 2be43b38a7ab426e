import BlockCache
import StateStore

/// `ordner cache`.
extension MountControl {
    func manageCache(_ request: ControlRequest) async -> ControlAnswer {
        switch request.command {
        case .trimCache:
            let trimming = await resources.cache.trim(to: request.bytes ?? 0)
            return await answer(TrimReport(files: trimming.files, bytes: trimming.bytes))
        case .limitCache:
            guard let bytes = request.bytes, bytes > 0 else {
                return ControlAnswer(failure: ServiceFailure("a limit is a number of bytes"))
            }
            resources.cache.setSizeLimit(bytes)
            return await answer(nil)
        default: return await answer(nil)
        }
    }

    private func answer(_ trimming: TrimReport?) async -> ControlAnswer {
        do throws(ServiceFailure) {
            let (cache, content) = (resources.cache, resources.store.contentFolder)
            let folder = settings.cacheFolder ?? folders.cache(of: settings.account)
            let name = settings.account.rawValue
            var report = try await BlockingWork.run { () throws(ServiceFailure) in
                var report = CacheReport(account: name, folder: folder, of: cache.inventory())
                report.take(try UnsentContent.measure(in: content))
                return report
            }
            let usage = cache.usage
            report.mountPoint = settings.location.path
            report.hits = usage.hits
            report.misses = usage.misses
            report.fetchedBytes = usage.fetchedBytes
            return ControlAnswer(cache: report, trimming: trimming)
        } catch {
            return ControlAnswer(failure: error)
        }
    }
}

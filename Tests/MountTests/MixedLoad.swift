/// Programs that people use, on a mount whose driver is killed at a random moment.
enum MixedLoad {
    /// Arguments: folder on the mount, log, scratch folder on the local disk, round, the driver's
    /// process ID.
    ///
    /// A log line is a JSON list: `["begin" or "done", step, kind, details]`. The kill comes from
    /// here, so that a program that fails before it is known to.
    static let runner = #"""
        import hashlib, json, os, random, shutil, sqlite3, subprocess, sys, threading
        top, log, scratch, seed = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
        driver = int(sys.argv[5])
        rng = random.Random(seed)
        os.environ.update(GIT_CONFIG_GLOBAL="/dev/null", GIT_AUTHOR_NAME="a", GIT_AUTHOR_EMAIL="a@b",
            GIT_COMMITTER_NAME="a", GIT_COMMITTER_EMAIL="a@b")
        history = [json.loads(line) for line in open(log)]
        out = open(log, "a")
        killed = threading.Event()
        def kill():
            killed.set(); os.kill(driver, 9)
        def note(*what):
            out.write(json.dumps(what) + "\n"); out.flush()
        def run(*command):
            subprocess.run(command, check=True, capture_output=True, timeout=120)
        def manifest(folder):
            found = {}
            for path, _, files in os.walk(folder):
                for f in files:
                    full = os.path.join(path, f)
                    with open(full, "rb") as file: digest = hashlib.sha256(file.read()).hexdigest()
                    found[os.path.relpath(full, folder)] = digest
            return found
        def fill(folder, count):
            for i in range(count):
                path = f"{folder}/d{i % 7}"
                os.makedirs(path, exist_ok=True)
                with open(f"{path}/f{i}", "wb") as f: f.write(rng.randbytes(rng.choice([0, 9, 4096, 50000])))
        trees = [h[3]["folder"] for h in history if h[0] == "done" and h[2] == "untar"]
        gone = [h[3]["folder"] for h in history if h[2] == "remove"]
        trees = [t for t in trees if t not in gone]
        step = max([h[1] for h in history], default=0)
        def untar():
            source, folder = f"{scratch}/tar-{step}", f"tree-{step}"
            fill(source, 40)
            run("tar", "cf", source + ".tar", "-C", source, ".")
            details = {"folder": folder, "manifest": manifest(source)}
            note("begin", step, "untar", details)
            os.makedirs(f"{top}/{folder}")
            run("tar", "xf", source + ".tar", "-C", f"{top}/{folder}")
            trees.append(folder)
            return details
        def remove():
            details = {"folder": trees.pop(rng.randrange(len(trees)))}
            note("begin", step, "remove", details)
            run("rm", "-r", f"{top}/{details['folder']}")
            return details
        def synchronize():
            source = f"{scratch}/source"
            fill(source, rng.randrange(1, 30))
            details = {"folder": "copy", "manifest": manifest(source)}
            note("begin", step, "rsync", details)
            # By default two changes of a file in one second are one to rsync.
            run("rsync", "-a", "--modify-window=-1", source + "/", f"{top}/copy/")
            return details
        def commit():
            repository = f"{top}/repository"
            note("begin", step, "commit", {})
            if not os.path.exists(repository + "/.git/HEAD"): run("git", "init", "-q", "-b", "main", repository)
            for lock in subprocess.run(["find", repository + "/.git", "-name", "*.lock"],
                    check=True, capture_output=True, text=True).stdout.split():
                os.unlink(lock)
            for name in rng.sample(range(12), 3):
                with open(f"{repository}/f{name}", "wb") as f: f.write(rng.randbytes(2000))
            run("git", "-C", repository, "add", "-A")
            run("git", "-C", repository, "commit", "-q", "--allow-empty", "-m", str(step))
            head = subprocess.run(["git", "-C", repository, "rev-parse", "HEAD"], check=True,
                capture_output=True, text=True).stdout.strip()
            return {"commit": head}
        def insert():
            note("begin", step, "row", {})
            base = sqlite3.connect(f"{top}/data.db", timeout=30)
            base.execute("create table if not exists t (step integer, filling blob)")
            base.execute("insert into t values (?, ?)", (step, rng.randbytes(3000)))
            base.commit(); base.close()
            return {"row": step}
        def edit():
            path = f"{top}/text{rng.randrange(4)}.txt"
            data = rng.randbytes(6000)
            details = {"name": os.path.basename(path), "digest": hashlib.sha256(data).hexdigest()}
            note("begin", step, "edit", details)
            if rng.random() < 0.5 and os.path.exists(path):
                os.rename(path, path + "~")
                with open(path, "wb") as f: f.write(data); f.flush(); os.fsync(f.fileno())
                os.unlink(path + "~")
            else:
                with open(path + ".new", "wb") as f: f.write(data)
                os.rename(path + ".new", path)
            return details
        timer = threading.Timer(rng.uniform(0.05, 2.5), kill)
        timer.start()
        try:
            while True:
                step += 1
                work = rng.choice([untar, synchronize, commit, insert, edit, edit, remove])
                if work is remove and not trees: work = untar
                details = work()
                note("done", step, {"remove": "remove", "untar": "untar", "synchronize": "rsync",
                    "commit": "commit", "insert": "row", "edit": "edit"}[work.__name__], details)
        except Exception as error:
            said = getattr(error, "stderr", b"") or b""
            if isinstance(said, bytes): said = said.decode(errors="replace")
            if not killed.is_set(): note("broken", step, str(error), said)
        timer.cancel()
        """#

    /// Arguments: the log, a copy of the folder as another client has it. Prints what is wrong.
    static let checker = #"""
        import hashlib, json, os, sqlite3, subprocess, sys
        log, top = sys.argv[1], sys.argv[2]
        lines = [json.loads(line) for line in open(log)]
        def manifest(folder):
            found = {}
            for path, _, files in os.walk(f"{top}/{folder}"):
                for f in files:
                    full = os.path.join(path, f)
                    with open(full, "rb") as file: digest = hashlib.sha256(file.read()).hexdigest()
                    found[os.path.relpath(full, f"{top}/{folder}")] = digest
            return found
        done = {l[1] for l in lines if l[0] == "done"}
        trees, removed, rows, commits, texts = {}, {}, [], [], {}
        copy, copies, whole = {}, {}, set()
        for kind, step, what, details in lines:
            if kind == "broken": print("step", step, "failed by itself:", what, details)
            if kind == "begin" and what == "untar": trees[details["folder"]] = (step, details["manifest"])
            if kind == "begin" and what == "remove": removed[details["folder"]] = step
            if what == "rsync":
                for name, digest in details["manifest"].items():
                    whole.add(digest)
                    if kind == "begin": copies.setdefault(name, set()).add(digest)
                    if kind == "done": copies[name] = {digest}
                if kind == "done": copy = details["manifest"]
            if kind == "done" and what == "row": rows.append(details["row"])
            if kind == "done" and what == "commit": commits.append(details["commit"])
            if what == "edit":
                if kind == "begin": texts.setdefault(details["name"], [None]).append(details["digest"])
                if kind == "done": texts[details["name"]] = [details["digest"]]
        for folder, (step, expected) in trees.items():
            found = manifest(folder)
            for name, digest in found.items():
                if expected.get(name) != digest: print(folder, name, "is not what was unpacked")
            if folder in removed:
                if removed[folder] in done and found: print(folder, "was removed and is there")
            elif step in done and set(found) != set(expected):
                print(folder, "lacks", sorted(set(expected) - set(found)))
        for name, digest in manifest("copy").items():
            if digest not in (copies[name] if name in copies else whole): print("copy", name, "is wrong")
        for name in copy:
            if not os.path.exists(f"{top}/copy/{name}"): print("copy lacks", name)
        if commits:
            git = ["git", "-C", f"{top}/repository", "-c", "safe.directory=*"]
            check = subprocess.run(git + ["fsck", "--strict"], capture_output=True, text=True)
            if check.returncode: print("git fsck:", check.stdout, check.stderr)
            known = subprocess.run(git + ["rev-list", "HEAD"], capture_output=True, text=True).stdout.split()
            for commit in commits:
                if commit not in known: print("commit", commit, "is lost")
        if rows:
            base = sqlite3.connect(f"{top}/data.db")
            print(*[line for (line,) in base.execute("pragma integrity_check") if line != "ok"], end="")
            found = {step for (step,) in base.execute("select step from t")}
            if set(rows) - found: print("rows lost:", sorted(set(rows) - found))
        for name, digests in texts.items():
            found = {}
            for suffix in ("", "~", ".new"):
                if os.path.exists(f"{top}/{name}{suffix}"):
                    with open(f"{top}/{name}{suffix}", "rb") as f: found[suffix] = hashlib.sha256(f.read()).hexdigest()
            if digests[0] is not None and digests[0] not in found.values() and found.get("") not in digests:
                print(name, "has neither its old nor its new content:", found, digests)
            if len(digests) == 1 and found.get("") != digests[0]: print(name, "is not as it was saved")
        conflicts = [f for _, _, files in os.walk(top) for f in files if "(conflict " in f]
        if conflicts: print("conflicts with nobody:", conflicts)
        """#
}

/// A program that changes files on a mount and writes down what it was told of each change.
enum CrashLoad {
    /// Arguments: folder on the mount, log, seed, number of operations (0: without end), and
    /// `durable` where every change is put on stable storage before it counts as done.
    ///
    /// A log line is a JSON list: `["begin" or "done", operation, name, value]`.
    static let writer = #"""
        import hashlib, json, os, random, sys
        top, log, seed, limit = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
        durable = sys.argv[5:] == ["durable"]
        rng = random.Random(seed)
        out = open(log, "a")
        def note(*what):
            out.write(json.dumps(what) + "\n"); out.flush()
        def put(path, data):
            # By the driver, or by the kernel alone.
            with open(path, rng.choice(["wb", "w+b"])) as f:
                f.write(data)
                if durable: f.flush(); os.fsync(f.fileno())
        def done(*what):
            # An fsync can succeed while ext4 is being shut down, although nothing is written any more;
            # one that begins later fails.
            if durable:
                with open("disk/alive", "wb") as f: f.write(b"1"); f.flush(); os.fsync(f.fileno())
            note("done", *what)
        def names_are_durable(*paths):
            if not durable: return
            for folder in {os.path.dirname(p) for p in paths}:
                handle = os.open(folder, os.O_RDONLY)
                os.fsync(handle); os.close(handle)
        names = [f"{d}/f{i}" for d in ("a", "b", "c") for i in range(8)]
        for d in ("a", "b", "c"): os.makedirs(f"{top}/{d}", exist_ok=True)
        here = {n for n in names if os.path.exists(f"{top}/{n}")}
        count = 0
        while limit == 0 or count < limit:
            count += 1
            name, other = rng.choice(names), rng.choice(names)
            data = rng.randbytes(rng.choice([0, 10, 5000, 70000]))
            digest = hashlib.sha256(data).hexdigest()
            what = rng.choice(["write", "write", "save", "remove", "move"])
            try:
                if what == "write":
                    note("begin", what, name, digest); put(f"{top}/{name}", data)
                    here.add(name); done(what, name, digest)
                elif what == "save":
                    temporary = f"{top}/{name}.tmp{count}"
                    put(temporary, data)
                    note("begin", what, name, digest); os.rename(temporary, f"{top}/{name}")
                    names_are_durable(temporary)
                    here.add(name); done(what, name, digest)
                elif what == "remove" and name in here:
                    note("begin", what, name, None); os.unlink(f"{top}/{name}")
                    names_are_durable(f"{top}/{name}")
                    here.discard(name); done(what, name, None)
                elif what == "move" and name in here and name != other:
                    note("begin", what, name, other); os.rename(f"{top}/{name}", f"{top}/{other}")
                    names_are_durable(f"{top}/{name}", f"{top}/{other}")
                    here.discard(name); here.add(other); done(what, name, other)
            except OSError as error:
                note("failed", what, name, str(error)); sys.exit(0)
        note("end", "", "", None)
        """#

    /// Arguments: the log, a copy of the folder. Prints what is wrong, nothing where all is well.
    ///
    /// What was confirmed must be there; what had begun may be there or not; and nothing else: this
    /// client is alone, so that there is nothing to conflict with.
    static let checker = #"""
        import hashlib, json, os, sys
        log, top = sys.argv[1], sys.argv[2]
        state, maybe = {}, {}
        def apply(state, what, name, value):
            state = dict(state)
            if what in ("write", "save"): state[name] = value
            elif what == "remove": state.pop(name, None)
            elif what == "move":
                if name in state: state[value] = state.pop(name)
            return state
        def different(worlds):
            return list({frozenset(w.items()): w for w in worlds}.values())
        # What may be there, and what may be there once the change that has begun is done.
        worlds, trial = [{}], []
        lines = list(enumerate(open(log)))
        def history(n, why, end):
            print(n, why)
            before = [l for l in lines[:end] if f'"{n}"' in l[1] or "failed" in l[1]]
            for at, line in before[-12:]: print(" ", at, "of", len(lines), line.strip())
        for at, line in lines:
            kind, what, name, value = json.loads(line)
            if kind == "begin": trial = [apply(w, what, name, value) for w in worlds]
            elif kind == "done":
                # What was removed or moved was there.
                possible = [w for w in worlds if what in ("write", "save") or name in w]
                if not possible: history(name, "was there, and nobody had put it there", at + 1)
                possible = possible or worlds
                worlds, trial = different(apply(w, what, name, value) for w in possible), []
            elif kind == "failed": worlds, trial = different(worlds + trial), []
        worlds = different(worlds + trial)
        found = {}
        for folder, _, files in os.walk(top):
            for f in files:
                path = os.path.join(folder, f)
                with open(path, "rb") as file: digest = hashlib.sha256(file.read()).hexdigest()
                found[os.path.relpath(path, top)] = digest
        plain = {n: d for n, d in found.items() if ".tmp" not in n}
        if plain not in worlds:
            world = worlds[-1]
            for n in sorted(set(plain) | set(world)):
                if plain.get(n) != world.get(n):
                    should = [w.get(n) for w in worlds]
                    history(n, f"is {plain.get(n)} and should be {should}", len(lines))
                    print("  there:", sorted(k for k, v in found.items() if v == world.get(n)))
        """#
}

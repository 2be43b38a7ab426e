import Foundation
import Glibc

/// Writes the settings of each kind of test server and says how it is started.
struct WebDAVServerSettings {
    /// `secret`, as Apache and nginx store it.
    private static let hash = "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="
    private static let users = ["alice", "bob", "reader"]

    let folder: TemporaryFolder
    let port: Int

    init(folder: TemporaryFolder, port: Int) {
        self.folder = folder
        self.port = port
    }

    /// The program with its arguments; everything it needs is in the folder.
    func command(for kind: WebDAVTestServer.Kind) throws -> [String] {
        for name in ["data/Team", "state"] {
            try FileManager.default.createDirectory(
                atPath: folder.file(name), withIntermediateDirectories: true)
            // Apache's workers are not root.
            guard chmod(folder.file(name), 0o777) == 0 else {
                throw WebDAVTestServer.Failure(description: "chmod: errno \(errno)")
            }
        }
        try write("users", Self.users.map { "\($0):\(Self.hash)\n" }.joined())
        switch kind {
        case .apache:
            let file = try write("apache.conf", apache())
            return [try Self.program("apache2"), "-f", file, "-DFOREGROUND"]
        case .wsgidav:
            let file = try write("wsgidav.json", wsgidav)
            return [try Self.wsgidavProgram(), "--config", file]
        case .lighttpd:
            try write(
                "plain-users",
                Self.users.map { "\($0):\(WebDAVTestServer.password)\n" }.joined())
            return [try Self.program("lighttpd"), "-D", "-f", try write("lighttpd.conf", lighttpd)]
        case .nginx:
            return [
                try Self.program("nginx"), "-p", folder.path, "-e", folder.file("error.log"), "-c",
                try write("nginx.conf", nginx),
            ]
        case .rclone:
            return [
                try Self.program("rclone"), "serve", "webdav", folder.file("data/Team"),
                "--addr", "127.0.0.1:\(port)", "--baseurl", "/Team", "--htpasswd",
                folder.file("users"), "--config", folder.file("state/rclone.conf"),
                "--cache-dir", folder.file("state"),
            ]
        }
    }

    @discardableResult
    private func write(_ name: String, _ text: String) throws -> String {
        try folder.write(Array(text.utf8), to: name)
    }

    /// Longer than the client keeps an idle connection: a server that closes one at the moment it is
    /// used again makes the call fail whose outcome nobody knows, which `FaultTests` are about.
    private static let keptAliveSeconds = 120

    private static func program(_ name: String) throws -> String {
        for place in ["/usr/sbin/", "/usr/bin/", "/usr/local/sbin/", "/usr/local/bin/"] {
            if access(place + name, X_OK) == 0 { return place + name }
        }
        throw WebDAVTestServer.Failure(
            description: "'\(name)' is not installed; scripts/setup does it")
    }

    /// In the environment that `scripts/setup` makes.
    private static func wsgidavProgram() throws -> String {
        let environment = ProcessInfo.processInfo.environment
        let cache = environment["XDG_CACHE_HOME"] ?? (environment["HOME"] ?? "") + "/.cache"
        let path = cache + "/ordner-test-tools/bin/wsgidav"
        guard access(path, X_OK) == 0 else {
            throw WebDAVTestServer.Failure(
                description: "there is no \(path); scripts/setup makes it")
        }
        return path
    }

    private func apache() throws -> String {
        let modules = "/usr/lib/apache2/modules"
        let names = [
            "mpm_event", "authn_core", "authn_file", "authz_core", "authz_user", "auth_basic",
            "setenvif", "dav", "dav_fs",
        ]
        let load = names.map { "LoadModule \($0)_module \(modules)/mod_\($0).so" }
            .joined(separator: "\n")
        return """
            ServerRoot "\(folder.path)"
            PidFile "\(folder.file("apache.pid"))"
            ErrorLog "\(folder.file("error.log"))"
            CustomLog "\(folder.file("access.log"))" "%m %U"
            Listen 127.0.0.1:\(port)
            ServerName 127.0.0.1
            \(load)
            \(getuid() == 0 ? "User www-data\nGroup www-data" : "")
            StartServers 1
            ThreadsPerChild 64
            MaxRequestWorkers 128
            KeepAlive On
            KeepAliveTimeout \(Self.keptAliveSeconds)
            MaxKeepAliveRequests 0
            AllowEncodedSlashes NoDecode
            DavLockDB "\(folder.file("state/DavLock"))"
            DocumentRoot "\(folder.file("data"))"
            <Location "/Team">
                Dav On
                AuthType Basic
                AuthName test
                AuthUserFile "\(folder.file("users"))"
                AuthzSendForbiddenOnFailure On
                <Limit GET HEAD OPTIONS PROPFIND>
                    Require valid-user
                </Limit>
                <LimitExcept GET HEAD OPTIONS PROPFIND>
                    Require user alice bob
                </LimitExcept>
            </Location>

            """
    }

    private var wsgidav: String {
        let users = Self.users.map { #""\#($0)": {"password": "\#(WebDAVTestServer.password)"}"# }
        return """
            {"host": "127.0.0.1", "port": \(port),
             "provider_mapping": {"/": "\(folder.file("data"))"},
             "http_authenticator": {"accept_basic": true, "accept_digest": false,
                                    "default_to_digest": false},
             "simple_dc": {"user_mapping": {"*": {\(users.joined(separator: ", "))}}},
             "lock_storage": true, "property_manager": true, "verbose": 1,
             "server_args": {"timeout": \(Self.keptAliveSeconds)}}

            """
    }

    private var lighttpd: String {
        """
        server.document-root = "\(folder.file("data"))"
        server.bind = "127.0.0.1"
        server.port = \(port)
        server.errorlog = "\(folder.file("error.log"))"
        server.max-keep-alive-idle = \(Self.keptAliveSeconds)
        server.upload-dirs = ( "\(folder.file("state"))" )
        server.modules = ( "mod_auth", "mod_authn_file", "mod_webdav" )
        auth.backend = "plain"
        auth.backend.plain.userfile = "\(folder.file("plain-users"))"
        auth.require = ( "/Team" => ( "method" => "basic", "realm" => "test",
                                      "require" => "valid-user" ) )
        $HTTP["url"] =~ "^/Team($|/)" {
            webdav.activate = "enable"
            webdav.is-readonly = "disable"
            webdav.sqlite-db-name = "\(folder.file("state/webdav.db"))"
        }

        """
    }

    private var nginx: String {
        """
        load_module /usr/lib/nginx/modules/ngx_http_dav_ext_module.so;
        daemon off;
        \(getuid() == 0 ? "user root;" : "")
        worker_processes 1;
        pid \(folder.file("nginx.pid"));
        events { worker_connections 256; }
        http {
            access_log off;
            client_body_temp_path \(folder.file("state/body"));
            proxy_temp_path \(folder.file("state/proxy"));
            fastcgi_temp_path \(folder.file("state/fastcgi"));
            uwsgi_temp_path \(folder.file("state/uwsgi"));
            scgi_temp_path \(folder.file("state/scgi"));
            client_max_body_size 0;
            dav_ext_lock_zone zone=locks:1m;
            server {
                listen 127.0.0.1:\(port);
                location /Team {
                    root \(folder.file("data"));
                    dav_methods PUT DELETE MKCOL COPY MOVE;
                    dav_ext_methods PROPFIND OPTIONS LOCK UNLOCK;
                    dav_ext_lock zone=locks;
                    create_full_put_path off;
                    auth_basic test;
                    auth_basic_user_file \(folder.file("users"));
                }
            }
        }

        """
    }
}

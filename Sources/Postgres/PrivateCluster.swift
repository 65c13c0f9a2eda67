import CLibPQ
import CLinux
import Domain
import Glibc
import Reactor

/// A private PostgreSQL of one's own on a unix socket, with a database `qafila` owned by the role `qafila`, which
/// needs no password: whoever may enter the directory is let in. Run by root it takes on the user `postgres`, else
/// `nobody`.
///
/// The server stops (fast) when this process ends, however it ends. All calls block: not for a reactor's thread.
public final class PrivateCluster: @unchecked Sendable {
  // @unchecked: the pid is behind its lock, the rest is constant.

  public enum StopMode: Sendable { case fast, immediate }

  public let directory: String
  public var url: String { url(database: "qafila") }
  /// What the server prints.
  public var logPath: String { directory + "/log" }

  /// Only a part of the socket's name, unless the settings let the server listen on TCP too.
  private var port: String { settings["port"] ?? "5432" }
  private let data: String
  private let socketDirectory: String
  private let settings: [String: String]
  private let programs: String
  private let user: (uid: Int64, gid: Int64)?
  private let owner: Int32
  private let pid = Lock(pid_t(0))

  /// Creates the cluster in an empty directory, or opens the one that is there, and waits until it takes sessions:
  /// about 0.4 s to create, 0.1 s to open, longer when it recovers from a crash.
  ///
  /// `settings` go to the server's command line over these: no TCP, minimal WAL, 128 MB of buffers. `programs` is
  /// PostgreSQL's bin directory; the newest of Debian's is found by itself.
  public static func start(
    directory: String, settings: [String: String] = [:], programs: String? = nil
  ) throws(ClusterError) -> PrivateCluster {
    let cluster = try PrivateCluster(directory, settings, programs)
    try cluster.initialise()
    try cluster.launch()
    try cluster.create(database: "qafila", unlessThere: true)
    return cluster
  }

  private init(_ directory: String, _ settings: [String: String], _ programs: String?) throws(ClusterError) {
    var directory = directory
    while directory.count > 1, directory.hasSuffix("/") { directory.removeLast() }
    if !directory.hasPrefix("/") {
      guard let here = getcwd(nil, 0) else { throw .files("no current directory") }
      directory = String(cString: here) + "/" + directory
      free(here)
    }
    self.directory = directory
    self.settings = settings
    data = directory + "/data"
    if let programs { self.programs = programs } else { self.programs = try PrivateCluster.findPrograms() }
    user = geteuid() == 0 ? PrivateCluster.unprivilegedUser() : nil
    try ClusterFiles.makeDirectory(directory)
    guard let owner = ClusterFiles.lock(directory + "/owner.lock") else { throw .inUse(directory: directory) }
    self.owner = owner
    // The kernel's limit for a socket's path is 107 bytes.
    if (directory + "/.s.PGSQL.65535").utf8.count < 100 {
      socketDirectory = directory
    } else {
      // Named after the directory, so that the next process finds it again (FNV-1a).
      let hash = directory.utf8.reduce(UInt64(0xcbf2_9ce4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
      socketDirectory = "/tmp/qafila-" + String(hash, radix: 16)
      try ClusterFiles.makeDirectory(socketDirectory)
    }
    try own(directory)
    try own(socketDirectory)
    if let user { try PrivateCluster.checkWay(to: directory, for: user.uid) }
  }

  deinit {
    stop(mode: .fast)
    close(owner)
    if socketDirectory != directory { ClusterFiles.removeTree(socketDirectory) }
  }

  public func url(database: String) -> String {
    let (name, place) = (PrivateCluster.escaped(database), PrivateCluster.escaped(socketDirectory))
    return "postgresql:///\(name)?host=\(place)&port=\(port)&user=qafila"
  }

  /// Creates an empty database and says its URL. About 30 ms.
  public func createDatabase(_ name: String) throws(ClusterError) -> String {
    try create(database: name, unlessThere: false)
    return url(database: name)
  }

  /// A copy of another database of the cluster, which nobody may be using meanwhile.
  public func createDatabase(_ name: String, copying template: String) throws(ClusterError) -> String {
    try copyDatabase(template, to: name)
    return url(database: name)
  }

  /// `immediate` kills it as a power cut would: the next start recovers. Without effect when it does not run.
  public func stop(mode: StopMode = .fast) {
    pid.with { pid in
      guard pid > 0 else { return }
      kill(pid, mode == .fast ? SIGINT : SIGQUIT)
      var status: Int32 = 0
      while waitpid(pid, &status, 0) < 0, errno == EINTR {}
      pid = 0
    }
  }

  public func restart(immediate: Bool) throws(ClusterError) {
    stop(mode: immediate ? .immediate : .fast)
    try launch()
  }

  /// The postmaster's process, for tests that freeze or kill it; 0 when it does not run.
  public var processID: Int32 { pid.with { $0 } }

  /// Stops it at once and removes all it has written.
  public func destroy() {
    stop(mode: .immediate)
    ClusterFiles.removeTree(directory)
    if socketDirectory != directory { ClusterFiles.removeTree(socketDirectory) }
  }

  /// Removes a cluster that no process owns, with its data; stops a server that outlived its owner. False when somebody
  /// owns it.
  @discardableResult
  public static func remove(directory: String) -> Bool {
    guard let owner = ClusterFiles.lock(directory + "/owner.lock") else { return false }
    defer { close(owner) }
    stopOrphan(data: directory + "/data")
    ClusterFiles.removeTree(directory)
    return true
  }

  // MARK: Creating

  private func initialise() throws(ClusterError) {
    if ClusterFiles.exists(data + "/PG_VERSION") { return }
    // Made under another name: an interrupted initdb leaves something that looks like a cluster.
    let unfinished = directory + "/data.new"
    ClusterFiles.removeTree(unfinished)
    let log = try openLog()
    defer { close(log) }
    let arguments = [
      programs + "/initdb", "-D", unfinished, "-N", "-A", "trust", "-U", "qafila", "-E", "UTF8", "--locale=C.UTF-8",
    ]
    let child = try spawn(arguments, output: log, dieWithParent: true)
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0, errno == EINTR {}
    guard status == 0 else { throw .failed("initdb: " + ClusterFiles.tail(logPath)) }
    guard rename(unfinished, data) == 0 else {
      throw .files("rename \(unfinished): \(String(cString: strerror(errno)))")
    }
  }

  // MARK: Starting

  private func launch() throws(ClusterError) {
    let patience = BootInstant.now + .seconds(60)
    while true {
      PrivateCluster.stopOrphan(data: data)
      let log = try openLog()
      let child = try spawn(serverArguments(), output: log, dieWithParent: true)
      close(log)
      if try isReady(child, until: patience) {
        pid.with { $0 = child }
        return
      }
      // Servers of a killed postmaster may still hold its shared memory for a moment.
      guard ClusterFiles.tail(logPath).contains("shared memory block"), BootInstant.now < patience else {
        throw .failed("postgres: " + ClusterFiles.tail(logPath))
      }
      usleep(50_000)
    }
  }

  private func serverArguments() -> [String] {
    var all = [
      "listen_addresses": "", "port": port, "unix_socket_directories": socketDirectory,
      "unix_socket_permissions": "0700",
      "shared_buffers": "128MB", "max_connections": "100", "wal_level": "minimal", "max_wal_senders": "0",
      "max_wal_size": "2GB", "checkpoint_timeout": "15min", "wal_compression": "lz4", "jit": "off",
      "random_page_cost": "1.1",
      "autovacuum_naptime": "15s", "timezone": "UTC", "log_timezone": "UTC", "logging_collector": "off",
      // The log holds no statement and no message that may quote a row, and so no phone number. ("log" ranks above
      // "error" here.)
      "log_min_messages": "log", "log_min_error_statement": "panic", "log_parameter_max_length_on_error": "0",
      "log_error_verbosity": "terse",
    ]
    for (key, value) in settings { all[key] = value }
    return [programs + "/postgres", "-D", data]
      + all.sorted { $0.key < $1.key }.flatMap { ["-c", $0.key + "=" + $0.value] }
  }

  private func isReady(_ child: pid_t, until patience: BootInstant) throws(ClusterError) -> Bool {
    while BootInstant.now < patience {
      var status: Int32 = 0
      if waitpid(child, &status, WNOHANG) == child { return false }
      // Recovery answers "starting up", which PQping tells from ready.
      if PQping(url(database: "postgres")) == PQPING_OK { return true }
      usleep(4_000)
    }
    kill(child, SIGQUIT)
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0, errno == EINTR {}
    throw .failed("postgres does not get ready: " + ClusterFiles.tail(logPath))
  }

  /// The owner's lock is ours, so a postmaster on this data belongs to a process that is gone: it is stopped. A pid
  /// file whose number now is another program's is removed, as PostgreSQL refuses to start beside it.
  private static func stopOrphan(data: String) {
    let file = data + "/postmaster.pid"
    guard let first = ClusterFiles.read(file)?.split(separator: "\n").first, let orphan = pid_t(first), orphan > 1
    else { return }
    let isOurs = { ClusterFiles.read("/proc/\(orphan)/cmdline")?.contains(data) == true }
    guard isOurs() else {
      unlink(file)
      return
    }
    kill(orphan, SIGINT)
    let patience = BootInstant.now + .seconds(10)
    while isOurs(), BootInstant.now < patience { usleep(10_000) }
    if isOurs() { kill(orphan, SIGQUIT) }
    while isOurs(), BootInstant.now < patience + .seconds(10) { usleep(10_000) }
  }

  // MARK: SQL

  private func create(database: String, unlessThere: Bool) throws(ClusterError) {
    do throws(ClusterError) {
      try copyDatabase("template0", to: database)
    } catch .failed(SQLState.duplicateDatabase.code) where unlessThere {
      return
    }
  }

  private func copyDatabase(_ template: String, to name: String) throws(ClusterError) {
    // Copying files needs a checkpoint before and after, which costs nothing only where nothing is synced.
    let strategy = settings["fsync"] == "off" ? "file_copy" : "wal_log"
    try execute(
      "create database \(PrivateCluster.quoted(name)) template \(PrivateCluster.quoted(template)) strategy \(strategy)")
  }

  /// On a session of its own, which ends at once. Fails with the SQLSTATE alone.
  private func execute(_ sql: String) throws(ClusterError) {
    let session = PQconnectdb(url(database: "postgres"))
    defer { PQfinish(session) }
    guard PQstatus(session) == CONNECTION_OK else {
      throw .failed("no session: " + String(cString: PQerrorMessage(session)))
    }
    PQsetNoticeReceiver(session, { _, _ in }, nil)
    let result = PQexec(session, sql)
    defer { PQclear(result) }
    guard PQresultStatus(result) == PGRES_COMMAND_OK else {
      throw .failed(PQresultErrorField(result, Int32(UInt8(ascii: "C"))).map { String(cString: $0) } ?? "no answer")
    }
  }

  // MARK: Processes

  private func spawn(_ arguments: [String], output: Int32, dieWithParent: Bool) throws(ClusterError) -> pid_t {
    let environment = ["PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC"]
    var argv = arguments.map { strdup($0) } + [nil]
    var envp = environment.map { strdup($0) } + [nil]
    defer { for text in argv + envp { free(text) } }
    let (uid, gid) = user ?? (-1, -1)
    let child = Keeper.shared.run { [directory] in
      clinux_spawn(arguments[0], &argv, &envp, directory, output, uid, gid, dieWithParent ? 1 : 0)
    }
    guard child > 0 else { throw .failed("\(arguments[0]): \(String(cString: strerror(-child)))") }
    return child
  }

  private func openLog() throws(ClusterError) -> Int32 {
    let log = open(logPath, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard log >= 0 else { throw .files("open \(logPath): \(String(cString: strerror(errno)))") }
    return log
  }

  private func own(_ path: String) throws(ClusterError) {
    guard let user else { return }
    guard chown(path, uid_t(user.uid), gid_t(user.gid)) == 0 else {
      throw .files("chown \(path): \(String(cString: strerror(errno)))")
    }
  }

  private static func findPrograms() throws(ClusterError) -> String {
    let debian = "/usr/lib/postgresql"
    let versions = ClusterFiles.entries(debian).compactMap(Int.init).sorted(by: >).map { "\(debian)/\($0)/bin" }
    let path = getenv("PATH").map { String(cString: $0).split(separator: ":").map(String.init) } ?? []
    for place in versions + path where access(place + "/initdb", X_OK) == 0 && access(place + "/postgres", X_OK) == 0 {
      return place
    }
    throw .notInstalled("no initdb and postgres below \(debian) or on the path")
  }

  /// The user must have an entry in the password file, or initdb refuses.
  private static func unprivilegedUser() -> (uid: Int64, gid: Int64)? {
    for name in ["postgres", "nobody"] {
      var (uid, gid): (Int64, Int64) = (0, 0)
      if clinux_user(name, &uid, &gid) == 0 { return (uid, gid) }
    }
    return nil
  }

  /// initdb would only say "permission denied".
  private static func checkWay(to directory: String, for user: Int64) throws(ClusterError) {
    var path = ""
    for part in directory.split(separator: "/").dropLast() {
      path += "/" + part
      var status = stat()
      guard stat(path, &status) == 0 else { throw .files("stat \(path): \(String(cString: strerror(errno)))") }
      // Groups aside: these users belong to none but their own.
      guard status.st_mode & S_IXOTH != 0 || Int64(status.st_uid) == user else {
        throw .files("the server cannot run as root, and its user may not enter \(path): choose another directory")
      }
    }
  }

  private static func quoted(_ name: String) -> String {
    "\"" + name.reduce(into: "") { $0 += $1 == "\"" ? "\"\"" : String($1) } + "\""
  }

  /// Percent-encoded, with the slashes left as they are.
  private static func escaped(_ text: String) -> String {
    text.utf8.reduce(into: "") { result, byte in
      let isPlain =
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        || "-_.~/".utf8.contains(byte)
      if isPlain {
        result.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      }
    }
  }
}

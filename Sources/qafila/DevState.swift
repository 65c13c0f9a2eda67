import Crypto
import Glibc

/// The folder in which `qafila dev` keeps what must survive it: the cluster, the secrets, the first key.
struct DevState: Sendable {
  let directory: String
  let sealKey: String
  let appSecret: String
  let verifyToken: String

  var cluster: String { directory + "/postgres" }
  var keyPath: String { directory + "/admin-key" }
  var environmentPath: String { directory + "/env" }

  /// Makes the folder and its secrets when they are missing.
  init(_ given: String?) throws(UsageError) {
    directory = DevState.absolute(given ?? DevState.standard)
    // Run by root, the cluster belongs to another user, who must be able to pass. The secrets stay readable by us
    // alone.
    guard Files.makeDirectory(directory), chmod(directory, 0o711) == 0 else {
      throw UsageError(
        "The folder \(directory) cannot be made: \(Files.reason()).", remedy: "Give another: --state DIR.")
    }
    sealKey = try DevState.secret(directory + "/seal-key")
    appSecret = try DevState.secret(directory + "/app-secret")
    verifyToken = try DevState.secret(directory + "/verify-token")
  }

  static var standard: String {
    if let home = Setting.environment("XDG_STATE_HOME"), !home.isEmpty { return home + "/qafila-dev" }
    return (Setting.environment("HOME") ?? "/tmp") + "/.local/state/qafila-dev"
  }

  private static func absolute(_ path: String) -> String {
    guard !path.hasPrefix("/"), let here = getcwd(nil, 0) else { return path }
    defer { free(here) }
    return String(cString: here) + "/" + path
  }

  private static func secret(_ path: String) throws(UsageError) -> String {
    if access(path, F_OK) == 0 { return try Setting.contents(of: path) }
    let secret = Crypto.hex(Crypto.randomBytes(32))
    guard Files.writePrivate(path, secret + "\n") else {
      throw UsageError(
        "The file \(path) cannot be written: \(Files.reason()).", remedy: "Give another folder: --state DIR.")
    }
    return secret
  }

  /// What a shell reads to talk to this service: `. DIR/env`.
  func writeEnvironment(url: String, database: String) -> Bool {
    Files.writePrivate(
      environmentPath,
      """
      export QAFILA_URL='\(url)'
      export QAFILA_API_KEY_FILE='\(keyPath)'
      export QAFILA_DATABASE_URL='\(database)'
      export QAFILA_SEAL_KEY_FILE='\(directory)/seal-key'
      export QAFILA_APP_SECRET_FILE='\(directory)/app-secret'
      export QAFILA_VERIFY_TOKEN_FILE='\(directory)/verify-token'

      """)
  }
}

import CLinux
import Glibc
import Reactor

/// A process that the benchmark started: ended by its pid, measured by /proc.
final class Program: Sendable {
  let pid: pid_t
  let log: String
  private let isRunning = Lock(true)

  /// Children get a signal when the thread that started them ends, so one that lasts starts all of them.
  private static let starter: Reactor = {
    let reactor = Reactor(name: "starter")
    reactor.start()
    return reactor
  }()

  static func start(_ path: String, _ arguments: [String], environment: [String], log: String) async throws -> Program {
    let pid = await withCheckedContinuation { done in
      starter.submit {
        let output = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        var argv = ([path] + arguments).map { strdup($0) } + [nil]
        var envp = environment.map { strdup($0) } + [nil]
        let pid = clinux_spawn(path, &argv, &envp, nil, output, -1, -1, 1)
        for text in argv + envp { free(text) }
        close(output)
        done.resume(returning: pid)
      }
    }
    guard pid > 0 else { throw BenchError("\(path) does not start: \(String(cString: strerror(-pid)))") }
    return Program(pid, log)
  }

  private init(_ pid: pid_t, _ log: String) { (self.pid, self.log) = (pid, log) }

  deinit { stop() }

  /// Asks it to end and waits; blocks, at most as long as the program takes to say goodbye.
  func stop() {
    isRunning.with { isRunning in
      guard isRunning else { return }
      isRunning = false
      kill(pid, SIGTERM)
      var status: Int32 = 0
      for _ in 0..<1500 {
        if waitpid(pid, &status, WNOHANG) == pid { return }
        usleep(10_000)
      }
      kill(pid, SIGKILL)
      while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    }
  }

  /// Waits for a program that ends by itself; whether it ended well.
  func ended(on reactor: Reactor) async throws -> Bool {
    while true {
      var status: Int32 = 0
      let ended = isRunning.with { isRunning in
        guard isRunning, waitpid(pid, &status, WNOHANG) == pid else { return false }
        isRunning = false
        return true
      }
      if ended { return status == 0 }
      try await reactor.sleep(for: .milliseconds(2))
    }
  }

  /// Microseconds of CPU it has used.
  var cpu: Double { Process.cpu(pid, withEndedChildren: false) }

  /// The most memory it ever had resident, in megabytes of a million bytes.
  var peakMemory: Double {
    for line in Files.text("/proc/\(pid)/status").split(separator: "\n") where line.hasPrefix("VmHWM:") {
      let kilobytes = line.split(separator: " ", omittingEmptySubsequences: true).compactMap { Double($0) }.first ?? 0
      return kilobytes * 1024 / 1e6
    }
    return 0
  }
}

enum Process {
  /// Microseconds of CPU a process has used, to the kernel's tick of ten milliseconds.
  static func cpu(_ pid: pid_t, withEndedChildren: Bool) -> Double {
    let text = Files.text("/proc/\(pid)/stat")
    // The name in parentheses may hold anything.
    guard let end = text.lastIndex(of: ")") else { return 0 }
    let fields = text[text.index(after: end)...].split(separator: " ").map { Double($0) ?? 0 }
    guard fields.count > 14 else { return 0 }
    let ticks = fields[11] + fields[12] + (withEndedChildren ? fields[13] + fields[14] : 0)
    return ticks * 1e6 / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  /// A process, its children, and those of its children that ended: a PostgreSQL.
  static func familyCPU(_ pid: pid_t) -> Double {
    var total = cpu(pid, withEndedChildren: true)
    for child in Files.entries("/proc").compactMap({ pid_t($0) }) {
      let text = Files.text("/proc/\(child)/stat")
      guard let end = text.lastIndex(of: ")") else { continue }
      let fields = text[text.index(after: end)...].split(separator: " ")
      if fields.count > 1, pid_t(fields[1]) == pid { total += cpu(child, withEndedChildren: false) }
    }
    return total
  }
}

enum Files {
  static func text(_ path: String) -> String {
    guard let file = fopen(path, "r") else { return "" }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = fread(&part, 1, part.count, file)
      if count == 0 { return String(decoding: bytes, as: UTF8.self) }
      bytes += part[..<count]
    }
  }

  static func write(_ text: String, to path: String) throws {
    guard let file = fopen(path, "w") else { throw BenchError("\(path) can't be written") }
    fputs(text, file)
    fclose(file)
  }

  static func entries(_ path: String) -> [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      names.append(withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
    }
    return names
  }

  /// A port that was free a moment ago.
  static func freePort() throws -> UInt16 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let failed = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) != 0 || getsockname(descriptor, $0, &length) != 0
      }
    }
    if failed { throw BenchError("no port is free") }
    return UInt16(bigEndian: address.sin_port)
  }
}

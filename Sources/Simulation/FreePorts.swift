import Glibc

/// Ports that nobody listens on, for programs that must be told theirs. Below the range from which the kernel takes ports
/// for outgoing connections: those of other tests would collide with it.
public enum FreePorts {
  /// The first of `count` ports in a row, free a moment ago.
  public static func take(_ count: Int = 1) -> UInt16 {
    while true {
      let first = UInt16.random(in: 20_000..<32_000)
      if (0..<count).allSatisfy({ isFree(first + UInt16($0)) }) { return first }
    }
  }

  private static func isFree(_ port: UInt16) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }
}

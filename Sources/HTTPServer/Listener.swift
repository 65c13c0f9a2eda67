import CMicroHTTPD
import Glibc

/// A listening TCP socket.
enum Listener {
  /// Opens, binds and listens; the port is the one bound.
  static func open(_ address: String, _ port: UInt16) throws(HTTPServerError) -> (Int32, UInt16) {
    var storage = sockaddr_storage()
    var size = socklen_t(0)
    var family = AF_INET
    withUnsafeMutableBytes(of: &storage) { raw in
      let v4 = raw.baseAddress!.assumingMemoryBound(to: sockaddr_in.self)
      if inet_pton(AF_INET, address, &v4.pointee.sin_addr) == 1 {
        v4.pointee.sin_family = sa_family_t(AF_INET)
        v4.pointee.sin_port = port.bigEndian
        size = socklen_t(MemoryLayout<sockaddr_in>.size)
        return
      }
      let v6 = raw.baseAddress!.assumingMemoryBound(to: sockaddr_in6.self)
      if inet_pton(AF_INET6, address, &v6.pointee.sin6_addr) == 1 {
        family = AF_INET6
        v6.pointee.sin6_family = sa_family_t(AF_INET6)
        v6.pointee.sin6_port = port.bigEndian
        size = socklen_t(MemoryLayout<sockaddr_in6>.size)
      }
    }
    guard size > 0 else { throw .badAddress(address) }
    let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let listener = socket(family, kind, 0)
    guard listener >= 0 else { throw .refused(call: "socket", errno: errno) }
    var one: Int32 = 1
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
    let failedCall: String? = withUnsafeMutablePointer(to: &storage) { storage in
      storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
        if bind(listener, raw, size) != 0 { return "bind" }
        if listen(listener, 1024) != 0 { return "listen" }
        return getsockname(listener, raw, &size) == 0 ? nil : "getsockname"
      }
    }
    if let failedCall {
      let code = errno
      close(listener)
      throw .refused(call: failedCall, errno: code)
    }
    let bound = withUnsafeBytes(of: &storage) { raw in
      // The port lies at the same place in both families.
      UInt16(bigEndian: raw.load(fromByteOffset: 2, as: UInt16.self))
    }
    return (listener, bound)
  }
}

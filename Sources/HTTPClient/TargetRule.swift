import Glibc

/// An IP address. One of version 4 that is written inside one of version 6 is taken for what it is.
public struct NetworkAddress: Hashable, Sendable {
  public enum Kind: Hashable, Sendable { case v4(UInt32), v6(high: UInt64, low: UInt64) }
  public let kind: Kind

  public init(v4: UInt32) { kind = .v4(v4) }

  public init(high: UInt64, low: UInt64) {
    switch (high, low >> 32) {
    // ::ffff:a.b.c.d, ::a.b.c.d (deprecated, but some still route it) and NAT64's 64:ff9b::a.b.c.d.
    case (0, 0xFFFF), (0x0064_FF9B_0000_0000, 0): kind = .v4(UInt32(truncatingIfNeeded: low))
    // Not :: and ::1, which are what they are.
    case (0, 0) where low > 1: kind = .v4(UInt32(truncatingIfNeeded: low))
    // 6to4: 2002:a.b.c.d::
    case (0x2002_0000_0000_0000...0x2002_FFFF_FFFF_FFFF, _): kind = .v4(UInt32(truncatingIfNeeded: high >> 16))
    default: kind = .v6(high: high, low: low)
    }
  }

  /// As people write it, without brackets; nil for anything else.
  public init?(_ text: String) {
    var v4 = in_addr()
    if inet_pton(AF_INET, text, &v4) == 1 {
      self.init(v4: UInt32(bigEndian: v4.s_addr))
      return
    }
    var v6 = in6_addr()
    guard inet_pton(AF_INET6, text, &v6) == 1 else { return nil }
    self.init(v6)
  }

  /// What a socket would connect to; nil for anything but IP.
  init?(_ address: UnsafePointer<sockaddr>) {
    switch Int32(address.pointee.sa_family) {
    case AF_INET:
      let v4 = UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in.self)
      self.init(v4: UInt32(bigEndian: v4.sin_addr.s_addr))
    case AF_INET6:
      self.init(UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in6.self).sin6_addr)
    default: return nil
    }
  }

  private init(_ v6: in6_addr) {
    let (high, low) = withUnsafeBytes(of: v6) {
      ($0.loadUnaligned(as: UInt64.self), $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    }
    self.init(high: UInt64(bigEndian: high), low: UInt64(bigEndian: low))
  }

  /// Whether it is an address of the public internet: none of one's own machine, house, provider or cloud, none that is
  /// reserved (IANA's special-purpose registries), and not the metadata service, which is link-local.
  public var isPublic: Bool {
    switch kind {
    case .v4: !NetworkAddress.reserved4.contains { $0.contains(self) }
    // Only global unicast; of that, no documentation, benchmarks, Teredo and other tunnels.
    case .v6(let high, _): high >> 61 == 1 && !NetworkAddress.reserved6.contains { $0.contains(self) }
    }
  }

  private static let reserved4 = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
    "224.0.0.0/4", "240.0.0.0/4",
  ].map { Network($0)! }

  private static let reserved6 = ["2001::/23", "2001:db8::/32", "3fff::/20"].map { Network($0)! }
}

/// A range of addresses: `10.0.0.0/8`, `fd00::/8`, or one address.
public struct Network: Hashable, Sendable {
  let base: NetworkAddress
  let bits: Int

  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard let base = NetworkAddress(String(parts[0])), parts.count <= 2 else { return nil }
    let most = if case .v4 = base.kind { 32 } else { 128 }
    guard let bits = parts.count == 1 ? most : Int(parts[1]), (0...most).contains(bits) else { return nil }
    (self.base, self.bits) = (base, bits)
  }

  public func contains(_ address: NetworkAddress) -> Bool {
    switch (base.kind, address.kind) {
    case (.v4(let a), .v4(let b)): bits == 0 || (a ^ b) >> UInt32(32 - bits) == 0
    case (.v6(let a, let c), .v6(let b, let d)):
      if bits <= 64 { bits == 0 || (a ^ b) >> UInt64(64 - bits) == 0 } else { a == b && (c ^ d) >> UInt64(128 - bits) == 0 }
    default: false
    }
  }
}

/// Where requests to addresses that users name may go: to the public internet encrypted, and to networks that whoever runs
/// the service has named, also in the clear. Otherwise an address is a way into the house.
public struct TargetRule: Hashable, Sendable {
  public var allowed: [Network]
  public init(allowed: [Network] = []) { self.allowed = allowed }

  public func allows(_ address: NetworkAddress, isEncrypted: Bool) -> Bool {
    allowed.contains { $0.contains(address) } || (isEncrypted && address.isPublic)
  }
}

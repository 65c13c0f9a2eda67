import CSimdjson

/// Lends parsed documents without building values, for the paths where thousands arrive each second.
///
/// It keeps simdjson's buffers between documents: they grow to about 14 times the largest document read. Not Sendable:
/// one reader per thread of work.
public final class JSONReader {
  public static let defaultSizeLimit = 4 << 20
  public static let defaultDepthLimit = 64

  private let parser: OpaquePointer
  private let sizeLimit: Int

  /// Documents above `sizeLimit` bytes, or with more than `depthLimit` arrays and objects open at once, are refused.
  public init(sizeLimit: Int = JSONReader.defaultSizeLimit, depthLimit: Int = JSONReader.defaultDepthLimit) {
    // simdjson has a smallest capacity of its own, so the limit is also checked in `read`.
    guard let parser = csj_parser_create(max(sizeLimit, 64), depthLimit) else {
      preconditionFailure("no memory for a JSON parser")
    }
    (self.parser, self.sizeLimit) = (parser, sizeLimit)
  }

  deinit { csj_parser_destroy(parser) }

  /// Parses the whole document, then lends its root. Elements are only valid inside `body`, and `body` must not read
  /// another document with the same reader.
  ///
  /// Throws `JSONError` when the bytes are not one JSON value in valid UTF-8; what `body` throws passes through. Of
  /// fields with the same name the first is seen.
  public func read<R>(_ bytes: [UInt8], _ body: (JSONElement) throws -> R) throws -> R {
    try bytes.withUnsafeBufferPointer { try read($0, body) }
  }

  /// The same from lent memory, which needs no padding: it is copied once.
  public func read<R>(_ bytes: UnsafeBufferPointer<UInt8>, _ body: (JSONElement) throws -> R) throws -> R {
    let root: JSONElement
    switch parse(bytes) {
    case .success(let element): root = element
    case .failure(let error): throw error
    }
    return try withExtendedLifetime(self) { try body(root) }
  }

  func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> Result<JSONElement, JSONError> {
    guard bytes.count <= sizeLimit else { return .failure(JSONError(csj_too_large, offset: 0)) }
    guard let base = bytes.baseAddress, !bytes.isEmpty else { return .failure(JSONError(csj_empty, offset: 0)) }
    var root = csj_element()
    var offset = 0
    let status = csj_parse(parser, base, bytes.count, &root, &offset)
    return status == csj_ok ? .success(JSONElement(root)) : .failure(JSONError(status, offset: offset))
  }
}

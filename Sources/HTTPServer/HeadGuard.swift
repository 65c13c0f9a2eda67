import CMicroHTTPD
import Glibc

/// Refuses the heads that MHD 0.9.75 lets pass and two parsers could read differently (request smuggling): both length
/// headers, two lengths, odd transfer codings, a missing or second Host, space before the colon, folded lines, bare
/// line feeds, NULs. It sees what MHD lends after parsing, so what parsing hides is found by arithmetic on the lent
/// pointers:
///
/// MHD parses in place. It writes NULs over the CR LF of each line and lends pointers into its read buffer, so an
/// honest head is one unbroken run: each name begins exactly two bytes after the value before it, and the last value
/// ends four bytes before the head does. A folded line is copied elsewhere in the pool (and, worse, glued to the
/// *name*), a bare LF leaves a gap of one, a NUL cuts `strlen` short and leaves a gap of more. Whatever breaks the run
/// is refused, so a library that lays its memory out differently refuses everything rather than passing anything: the
/// tests would say so.
///
/// MHD itself refuses a Content-Length that is no number, before anyone is asked, and sends that answer's head twice;
/// the connection closes after it, so nothing can be read into the rest.
struct HeadGuard {
  private typealias Bytes = UnsafePointer<CChar>
  private struct Line {
    let isHeader: Bool
    let name: Bytes
    let nameCount: Int
    let value: Bytes?
    let valueCount: Int
  }

  private var lines: [Line] = []

  /// Reads the head of `connection`; valid during MHD's first call of the access handler only.
  mutating func head(
    of connection: OpaquePointer, url: UnsafePointer<CChar>, method: UnsafePointer<CChar>,
    version: UnsafePointer<CChar>,
    settings: HTTPServerSettings
  ) -> Result<Head, Refusal> {
    lines.removeAll(keepingCapacity: true)
    withUnsafeMutablePointer(to: &lines) { list in
      _ = cmhd_values(
        connection,
        { list, kind, name, nameCount, value, valueCount in
          let line = Line(
            isHeader: kind == cmhd_header_kind(), name: name!, nameCount: nameCount, value: value,
            valueCount: valueCount)
          list!.assumingMemoryBound(to: [Line].self).pointee.append(line)
          return cmhd_result(1)
        }, list)
    }
    do throws(Refusal) {
      return .success(try check(url, method, version, headSize: cmhd_head_size(connection), settings))
    } catch {
      return .failure(error)
    }
  }

  private func check(
    _ url: Bytes, _ method: Bytes, _ version: Bytes, headSize: Int, _ settings: HTTPServerSettings
  ) throws(Refusal) -> Head {
    guard headSize <= settings.maxHeaderBytes, lines.count <= settings.maxHeaderFields else {
      throw Refusal(status: 431, detail: "The head is larger than this server allows.")
    }
    let (methodCount, urlCount, versionCount) = (strlen(method), strlen(url), strlen(version))
    guard methodCount > 0, HeadGuard.isToken(method, methodCount) else {
      throw Refusal(status: 400, detail: "The method is not a token.")
    }
    let isHTTP11 = strcmp(version, "HTTP/1.1") == 0
    guard isHTTP11 || strcmp(version, "HTTP/1.0") == 0 else {
      throw Refusal(status: 400, detail: "The version is neither HTTP/1.1 nor HTTP/1.0.")
    }
    let broken = Refusal(status: 400, detail: "A line of the head is folded, or not ended by CR LF, or holds a NUL.")

    // The request line: one space each, and only a `?` may stand between the path and the first argument.
    guard url == method + methodCount + 1 else { throw broken }
    let firstArgument = lines.first { !$0.isHeader }
    if let firstArgument {
      guard firstArgument.name == url + urlCount + 1, version > firstArgument.name else { throw broken }
    } else {
      guard version - (url + urlCount) == 1 || version - (url + urlCount) == 2 else { throw broken }
    }

    let base = method
    let end = method + headSize
    var expected = version + versionCount + 2
    var fields: [Head.Field] = []
    var arguments: [Head.Field] = []
    fields.reserveCapacity(lines.count)
    var hosts = 0
    var lengths = 0
    var length: Int?
    var codings = 0
    for line in lines {
      guard line.isHeader else {
        guard line.name > base, line.name + line.nameCount < version else { throw broken }
        let name = (line.name - base)..<(line.name - base + line.nameCount)
        let value = line.value.map { ($0 - base)..<($0 - base + line.valueCount) } ?? 0..<0
        arguments.append(Head.Field(name: name, value: value))
        continue
      }
      guard line.name == expected, let value = line.value, value > line.name + line.nameCount,
        value + line.valueCount + 4 <= end
      else { throw broken }
      guard line.nameCount > 0, HeadGuard.isToken(line.name, line.nameCount) else {
        throw Refusal(status: 400, detail: "A header name is empty or holds a space or a control character.")
      }
      guard HeadGuard.isFieldValue(value, line.valueCount) else {
        throw Refusal(status: 400, detail: "A header value holds a control character.")
      }
      expected = value + line.valueCount + 2
      switch line.nameCount {
      case 4 where HeadGuard.matches(line.name, "host"): hosts += 1
      case 14 where HeadGuard.matches(line.name, "content-length"):
        lengths += 1
        length = HeadGuard.number(value, line.valueCount)
      case 17 where HeadGuard.matches(line.name, "transfer-encoding"):
        codings += 1
        guard line.valueCount == 7, HeadGuard.matches(value, "chunked") else {
          throw Refusal(status: 400, detail: "The only transfer coding known here is chunked.")
        }
      default: break
      }
      var valueCount = line.valueCount
      while valueCount > 0, value[valueCount - 1] == 0x20 || value[valueCount - 1] == 0x09 { valueCount -= 1 }
      fields.append(
        Head.Field(
          name: (line.name - base)..<(line.name - base + line.nameCount),
          value: (value - base)..<(value - base + valueCount)))
    }
    guard expected + 2 == end else { throw broken }
    guard hosts == 1 || (hosts == 0 && !isHTTP11) else {
      throw Refusal(status: 400, detail: "Exactly one Host is required.")
    }
    guard codings <= 1, lengths <= 1, codings + lengths <= 1 else {
      throw Refusal(status: 400, detail: "The length of the body is given twice.")
    }
    guard codings == 0 || isHTTP11 else {
      throw Refusal(status: 400, detail: "HTTP/1.0 knows no transfer codings.")
    }
    guard lengths == 0 || length != nil else {
      throw Refusal(status: 400, detail: "Content-Length is not a number.")
    }

    var block = [UInt8](UnsafeRawBufferPointer(start: method, count: headSize))
    for field in fields {
      for index in field.name where block[index] >= 0x41 && block[index] <= 0x5A { block[index] |= 0x20 }
    }
    let rawPath = block[(url - base)..<(url - base + urlCount)]
    guard rawPath.first == 0x2F, !rawPath.contains(where: { $0 <= 0x20 || $0 == 0x7F }),
      let path = Percent.decoded(rawPath)
    else {
      throw Refusal(status: 400, detail: "The path does not start with a slash or does not decode.")
    }
    for argument in arguments {
      guard Percent.decoded(block[argument.name]) != nil, Percent.decoded(block[argument.value]) != nil else {
        throw Refusal(status: 400, detail: "The query does not decode.")
      }
    }
    return Head(
      method: String(decoding: block[0..<methodCount], as: UTF8.self), path: path,
      framing: codings == 1 ? .chunked : length.map { $0 == 0 ? .none : .length($0) } ?? .none,
      block: block, fields: fields, arguments: arguments)
  }

  private static func matches(_ text: Bytes, _ lowercased: StaticString) -> Bool {
    let wanted = lowercased.utf8Start
    for index in 0..<lowercased.utf8CodeUnitCount
    where UInt8(bitPattern: text[index]) | 0x20 != wanted[index] | 0x20 {
      return false
    }
    return true
  }

  private static func number(_ text: Bytes, _ count: Int) -> Int? {
    guard (1...18).contains(count) else { return nil }
    var value = 0
    for index in 0..<count {
      let byte = UInt8(bitPattern: text[index])
      guard byte >= 0x30, byte <= 0x39 else { return nil }
      value = value * 10 + Int(byte - 0x30)
    }
    return value
  }

  private static func isToken(_ text: Bytes, _ count: Int) -> Bool {
    for index in 0..<count where !tokenBytes[Int(UInt8(bitPattern: text[index]))] { return false }
    return true
  }

  private static func isFieldValue(_ text: Bytes, _ count: Int) -> Bool {
    for index in 0..<count {
      let byte = UInt8(bitPattern: text[index])
      if byte < 0x20 && byte != 0x09 || byte == 0x7F { return false }
    }
    return true
  }

  /// RFC 9110 §5.6.2.
  private static let tokenBytes: [Bool] = (0..<256).map { code in
    switch UInt8(code) {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
    case let byte: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
  }
}

/// A file as UTF-8 text, bounded: what came and is not read yet.
///
/// UTF-16 shows by its mark or by its zero bytes. Between UTF-8 and Windows-1256 the first row that is not ASCII
/// decides: Arabic in Windows-1256 is practically never valid UTF-8.
struct InputText {
  private(set) var bytes: [UInt8] = []
  /// Where the next row starts.
  private(set) var start = 0
  /// Nil while all was ASCII.
  private(set) var encoding: TextEncoding?
  private(set) var isFinished = false
  /// It begins like a spreadsheet's own file (xlsx, xls) or an archive (zip, gzip), which no line of text does.
  private(set) var isPacked = false

  private static let sniffLength = 512

  /// The first bytes, until there are enough to tell what they are; nil afterwards.
  private var head: [UInt8]? = []
  private var utf16: UTF16Transcoder?

  /// `encoding`: what the sender declared; nil: found out.
  init(encoding: TextEncoding?) {
    self.encoding = encoding
  }

  var count: Int { bytes.count - start }

  mutating func append(_ chunk: ArraySlice<UInt8>) {
    if start > 0 {
      bytes.removeSubrange(..<start)
      start = 0
    }
    guard let head else { return add(chunk) }
    self.head = head + chunk
    if head.count + chunk.count >= InputText.sniffLength { sniff() }
  }

  mutating func finish() {
    sniff()
    utf16?.finish(&bytes)
    isFinished = true
  }

  mutating func consume(to next: Int) { start = next }

  /// The row that starts at `start` and ends before `end` is not ASCII. Answers false when it isn't text in the file's
  /// encoding; `rescan` when the encoding was found to be Windows-1256 just now, so the rest is other bytes.
  enum Finding { case text, notText, rescan }
  mutating func judge(_ end: Int) -> Finding {
    let start = start
    let valid = bytes.withUnsafeBufferPointer { UTF8Bytes.areValid($0[start..<end]) }
    if valid {
      if encoding == nil { encoding = .utf8 }
      return .text
    }
    guard encoding == nil else { return .notText }
    encoding = .windows1256
    let rest = bytes[start...]
    bytes = []
    self.start = 0
    Windows1256.append(rest, to: &bytes)
    return .rescan
  }

  private mutating func add(_ chunk: ArraySlice<UInt8>) {
    if utf16 != nil {
      utf16?.append(chunk, to: &bytes)
    } else if encoding == .windows1256 {
      Windows1256.append(chunk, to: &bytes)
    } else {
      bytes += chunk
    }
  }

  private mutating func sniff() {
    guard let head else { return }
    self.head = nil
    var skipped = 0
    isPacked = [[0x50, 0x4B, 3, 4], [0xD0, 0xCF, 0x11, 0xE0], [0x1F, 0x8B, 8]].contains { head.starts(with: $0) }
    if head.starts(with: [0xEF, 0xBB, 0xBF]) {
      (encoding, skipped) = (encoding ?? .utf8, 3)
    } else if head.starts(with: [0xFF, 0xFE]) {
      (encoding, skipped) = (encoding ?? .utf16LittleEndian, 2)
    } else if head.starts(with: [0xFE, 0xFF]) {
      (encoding, skipped) = (encoding ?? .utf16BigEndian, 2)
    } else if encoding == nil, let zero = head.firstIndex(of: 0) {
      // Text has no zero bytes of its own; in UTF-16 every comma and line end does.
      encoding = zero % 2 == 1 ? .utf16LittleEndian : .utf16BigEndian
    }
    switch encoding {
    case .utf16LittleEndian: utf16 = UTF16Transcoder(isBigEndian: false)
    case .utf16BigEndian: utf16 = UTF16Transcoder(isBigEndian: true)
    case .utf8, .windows1256, nil: break
    }
    add(head[skipped...])
  }
}

import Domain
import Glibc
import Reactor
import Testing

@testable import qafila

@Suite struct `The erasure record` {
  @Test func `is read as it was written, is its owner's alone, and says where it was cut`() throws {
    let path = (Setting.environment("TMPDIR") ?? "/tmp") + "/erasures-\(UInt64.random(in: 0 ... .max))"
    defer { unlink(path) }
    let record = ErasureRecord(path: path)
    #expect(try record.read().isEmpty)
    let (first, second) = (PersonKey(high: 1, low: .max), PersonKey(high: 0xFEDC_BA98, low: 7))
    try record.append([first, second], Instant(seconds: 1_795_000_000))
    try record.append([second], Instant(seconds: 1_795_000_001))
    let lines = try record.read()
    #expect(lines.map(\.names) == [[first, second], [second]])
    #expect(lines.map(\.at.seconds) == [1_795_000_000, 1_795_000_001])
    var status = stat()
    #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
    let file = open(path, O_WRONLY | O_APPEND)
    #expect(Files.write(Array("1795000002 00ff".utf8), to: file) && close(file) == 0)
    #expect { try record.read() } throws: { "\($0)".contains("line 3") }
    #expect(throws: ErasureRecord.Failure.self) { try ErasureRecord(path: "/nowhere/x").append([first], .now) }
  }
}

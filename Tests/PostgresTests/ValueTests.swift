import Domain
import Postgres
import Reactor
import Testing

@Suite struct `A value` {
  static let key = PersonKey(high: 0x0123_4567_89AB_CDEF, low: 0xFEDC_BA98_7654_3210)
  static let moment = Instant(rfc3339: "2027-02-09T18:30:00.123456Z")!

  @Test func `of each kind comes back as it went`() async throws {
    let c = try await connection()
    let row = try await c.run(
      "select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11", .int8(.min), .int4(-7), .int2(.max), .bool(true),
      .text("مرحبا 👋"), .bytea([0, 255, 1]), .uuid(Self.key), .timestamptz(Self.moment),
      .date(CivilDate("1999-12-31")!),
      .numeric(Amount("-0.000000001")!), .jsonb(Array(#"{"a": [1, null]}"#.utf8)))[0]
    #expect(row.int64(0) == .min)
    #expect(row.int32(1) == -7)
    #expect(row.int16(2) == .max)
    #expect(row.bool(3))
    #expect(row.text(4) == "مرحبا 👋")
    #expect(row.bytes(5) == [0, 255, 1])
    #expect(row.personKey(6) == Self.key)
    #expect(row.instant(7) == Self.moment)
    #expect(row.date(8) == CivilDate("1999-12-31")!)
    #expect(row.amount(9) == Amount("-0.000000001")!)
    #expect(row.jsonb(10) == Array(#"{"a": [1, null]}"#.utf8))
    await c.close()
  }

  @Test func `is understood by the server as it was meant`() async throws {
    let c = try await connection()
    let row = try await c.run(
      "select $1::text, $2::text, $3::text, $4::text, $5::text", .uuid(Self.key), .timestamptz(Self.moment),
      .date(CivilDate("2000-02-29")!), .numeric(Amount("-1234.5")!), .bytea([0xAB]))[0]
    #expect(row.text(0) == "01234567-89ab-cdef-fedc-ba9876543210")
    #expect(row.text(1) == "2027-02-09 18:30:00.123456+00")
    #expect(row.text(2) == "2000-02-29")
    #expect(row.text(3) == "-1234.5")
    #expect(row.text(4) == #"\xab"#)
    await c.close()
  }

  @Test func `of money is exact both ways`() async throws {
    let c = try await connection()
    var samples: [Amount] = [
      "0", "0.000000001", "-0.000000001", "0.0576", "1", "-1", "9999", "10000", "10000.0001", "100000000", "700.00",
      "0.123456789", "99999999999999999999.999999999", "-99999999999999999999", "12345678901234567890.1", "0.00001",
      "20000.5",
    ].map { Amount($0)! }
    samples.append(Amount(billionths: .max))
    samples.append(Amount(billionths: -.max))
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<500 {
      let width = Int.random(in: 1...126, using: &generator)
      let magnitude = Int128(
        truncatingIfNeeded: UInt128.random(in: 0...(UInt128(1) << UInt128(width)), using: &generator))
      samples.append(Amount(billionths: Bool.random() ? magnitude : -magnitude))
    }
    let rows = try await c.run(
      "select n, n::text, n = t::numeric from unnest($1, $2) with ordinality u(n, t, i) order by i",
      .numerics(samples), .texts(samples.map { $0.text(minimumDecimals: 0) }))
    #expect(rows.count == samples.count)
    for (row, sample) in zip(rows, samples) {
      #expect(row.amount(0) == sample)
      #expect(row.bool(2), "\(sample) reads \(row.text(1))")
      #expect(Amount(row.text(1)) == sample || sample.billionths.magnitude > 100_000_000_000_000_000_000_000_000_000)
    }
    await c.close()
  }

  @Test func `of money takes the server's sums and averages as far as nine decimals go`() async throws {
    let c = try await connection()
    let row = try await c.run(
      """
      select sum(n), avg(n), 1.50000000000000000000, 1e20::numeric, 0.000000000000, -0.00001000
      from (values (0.1), (0.2)) t(n)
      """
    )[0]
    #expect(row.amount(0) == Amount("0.3"))
    #expect(row.amount(1) == Amount("0.15"))
    #expect(row.amount(2) == Amount("1.5"))
    #expect(row.amount(3) == Amount("100000000000000000000".dropLast(1) + "")! * 10)
    #expect(row.amount(4) == .zero)
    #expect(row.amount(5) == Amount("-0.00001"))
    await c.close()
  }

  @Test func `of time holds at the ends of its range`() async throws {
    let c = try await connection()
    let row = try await c.run(
      """
      select 'infinity'::timestamptz, '-infinity'::timestamptz, '1969-12-31 23:59:59.999999+00'::timestamptz,
        '1900-01-01'::date
      """
    )[0]
    #expect(row.instant(0) == Instant(nanoseconds: .max))
    #expect(row.instant(1) == Instant(nanoseconds: .min))
    #expect(row.instant(2) == Instant(microseconds: -1))
    #expect(row.date(3) == CivilDate("1900-01-01")!)
    await c.close()
  }

  @Test func `that is an array comes back as it went`() async throws {
    let c = try await connection()
    let row = try await c.run(
      "select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::text", .int8s([1, -2, .max]), .int4s([3]), .int2s([]),
      .bools([true, false]), .texts(["", "a\"b,{}\\", "مرحبا"]), .byteas([[], [0]]), .uuids([Self.key]),
      .timestamps([Self.moment]), .dates([CivilDate("2026-10-01")!]), .numerics([.zero, Amount("-5.25")!]),
      .jsonbs([Array("[1]".utf8), Array("{}".utf8)]))[0]
    #expect(row.int64s(0) == [1, -2, .max])
    #expect(row.int32s(1) == [3])
    #expect(row.int16s(2) == [])
    #expect(row.bools(3) == [true, false])
    #expect(row.texts(4) == ["", "a\"b,{}\\", "مرحبا"])
    #expect(row.byteas(5) == [[], [0]])
    #expect(row.personKeys(6) == [Self.key])
    #expect(row.instants(7) == [Self.moment])
    #expect(row.dates(8) == [CivilDate("2026-10-01")!])
    #expect(row.amounts(9) == [.zero, Amount("-5.25")!])
    #expect(row.text(10) == "{[1],\"{}\"}")
    await c.close()
  }

  @Test func `may be missing from an array`() async throws {
    let c = try await connection()
    let rows = try await c.run(
      """
      select a, b, c, d, e, f, g from unnest($1, $2, $3, $4, $5, $6, $7) with ordinality u(a, b, c, d, e, f, g, i)
      order by i
      """, .optionalInt8s([1, nil]), .optionalInt2s([nil, 2]), .optionalTexts(["x", nil]),
      .optionalTimestamps([nil, Self.moment]),
      .optionalNumerics([Amount("1.5")!, nil]), .optionalUUIDs([nil, Self.key]), .optionalInt4s([nil, nil]))
    #expect(rows.map { $0.optionalInt64(0) } == [1, nil])
    #expect(rows.map { $0.optionalInt16(1) } == [nil, 2])
    #expect(rows.map { $0.optionalText(2) } == ["x", nil])
    #expect(rows.map { $0.optionalInstant(3) } == [nil, Self.moment])
    #expect(rows.map { $0.optionalAmount(4) } == [Amount("1.5")!, nil])
    #expect(rows.map { $0.optionalPersonKey(5) } == [nil, Self.key])
    #expect(rows.map { $0.optionalInt32(6) } == [nil, nil])
    await c.close()
  }

  @Test func `that is a matrix keeps its rows`() async throws {
    let c = try await connection()
    let row = try await c.run(
      "select $1[2][1], array_dims($1), $1, cardinality($2), $1[2:2]", .textMatrix([["a", nil], ["b", "c"]]),
      .textMatrix([]))[0]
    #expect(row.text(0) == "b")
    #expect(row.text(1) == "[1:2][1:2]")
    #expect(row.optionalTexts(2) == ["a", nil, "b", "c"])
    #expect(row.int32(3) == 0)
    #expect(row.texts(4) == ["b", "c"])
    await c.close()
  }

  @Test func `fits a narrower column when the server says it does`() async throws {
    let c = try await connection()
    try await c.script("create table t(a smallint, b int, c varchar(5), d \"char\", e json)")
    _ = try await c.run(
      "insert into t values ($1, $2, $3, $4, $5::jsonb)", .int8(5), .int8(6), .text("abc"), .text("z"), .jsonb([0x31]))
    let row = try await c.run("select * from t")[0]
    #expect(row.int64(0) == 5 && row.int64(1) == 6 && row.int32(0) == 5)
    #expect(row.text(2) == "abc" && row.text(3) == "z" && row.jsonb(4) == [0x31])
    await #expect(throws: DatabaseError.rejected(.numericValueOutOfRange, detail: "")) {
      try await c.run("insert into t(a) values ($1)", .int8(40_000))
    }
    await c.close()
  }

  @Test func `may be empty or large`() async throws {
    let c = try await connection()
    let large = String(repeating: "x", count: 3_000_000)
    let row = try await c.run("select $1, $2, $3, length($4)", .text(""), .bytea([]), .texts([]), .text(large))[0]
    #expect(row.text(0) == "" && row.bytes(1) == [] && row.texts(2) == [])
    #expect(row.int32(3) == 3_000_000)
    #expect(try await c.run("select $1", .text(large))[0].text(0) == large)
    await c.close()
  }

  @Test func `read as another type stops the program and names the column`() async throws {
    await #expect(processExitsWith: .failure) {
      let c = try await connection()
      _ = try await c.run("select 'a' as greeting")[0].int64(0)
    }
  }
}

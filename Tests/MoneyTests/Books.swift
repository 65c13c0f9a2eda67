import CloudAPI
import Crypto
import Domain
import Intake
import JSON
import Money
import Postgres
import Reactor
import Reports
import Simulation
import Store
import Testing

/// A database with accounts and campaigns whose people were all handed over, to send receipts into.
struct Books {
  static let reactor: Reactor = {
    let reactor = Reactor(name: "money-tests")
    reactor.start()
    return reactor
  }()

  struct Account {
    let id: Domain.Account.ID
    let waba: String
    let currency: String
    let zone: String
    let numbers: [(id: Number.ID, phoneNumberID: String)]
  }

  /// A receipt as Meta would send it.
  struct Receipt {
    var campaign: Campaign.ID
    var seq: Int
    var attempt = 1
    var number: String
    var status: String
    var at: Int64
    var category: String?
    var type: String?

    func body(_ installation: String) -> [UInt8] {
      var status: JSONObject = [
        "id": .string("wamid.\(campaign)-\(seq)-\(attempt)"), "status": .string(status), "timestamp": .string(String(at)),
        "biz_opaque_callback_data": .string(
          MessageKey(campaign: campaign, seq: Int64(seq), attempt: Int16(attempt)).callbackData(
            installation: installation)),
      ]
      if let category {
        var pricing: JSONObject = ["billable": true, "pricing_model": "PMP", "category": .string(category)]
        if let type { pricing.append("type", .string(type)) }
        status.append("pricing", .object(pricing))
      }
      let value: JSONValue = [
        "messaging_product": "whatsapp", "metadata": ["phone_number_id": .string(number)],
        "statuses": [.object(status)],
      ]
      return JSONValue.object([
        "object": "whatsapp_business_account",
        "entry": [["id": "1", "changes": [["field": "messages", "value": value]]]],
      ]).rendered()
    }
  }

  let url: String
  let pool: Pool
  let installation: Installation
  let folder: Folder
  /// The day on which things are booked.
  let clock: Lock<Instant>
  private let stream = Lock((id: Int64(77), k: Int64(0)))
  let connection: Connection

  init(at start: Instant = .now) async throws {
    let clock = Lock(start)
    self.clock = clock
    url = try await TestDatabase.shared.fresh(like: "money") { url in
      let connection = Connection(ConnectionSettings(url: url), on: Books.reactor)
      _ = try await Migrator.migrate(connection)
      await connection.close()
    }
    pool = Pool(ConnectionSettings(url: url), size: 4, on: Books.reactor)
    installation = try await Installation.open(
      pool, sealKey: SealKey(secret: "a secret of at least thirty-two characters")!)
    connection = Connection(ConnectionSettings(url: url), on: Books.reactor)
    folder = Folder(
      installation: installation, database: ConnectionSettings(url: url), on: Books.reactor,
      now: { clock.with { $0 } }, log: { print("log: \($0) \($1)") })
    try await ReceiptLog.open(stream: 77, today: Books.today, on: connection)
  }

  var now: Instant { clock.with { $0 } }

  static var today: CivilDate { Pricing.day(of: .now, offset: 0) }

  func close() async {
    await connection.close()
    await pool.close()
  }

  func account(
    _ waba: String, currency: String, zone: String, numbers: Int = 1, portfolio: String? = nil
  ) async throws -> Account {
    let sealed = Tokens(sealKey: SealKey(secret: "a secret of at least thirty-two characters")!).sealed("t-\(waba)")
    var made: [(Number.ID, String)] = []
    for n in 0..<numbers {
      let id = "\(waba)\(n)"
      let new = Numbers.Registration(
        phoneNumberID: id, wabaID: waba, portfolio: portfolio, currency: currency, zone: zone, subscribed: true,
        phone: PhoneNumber(digits: 201_100_000_000 + (Int64(id) ?? 0) % 100_000_000)!, sealedToken: sealed.sealed,
        tokenDigest: sealed.digest, seen: Numbers.Observation(raw: ["id": .string(id)]))
      made.append((try await Numbers.register(new, business: installation.business, by: "test", on: pool)!, id))
    }
    let entry = try await Numbers.list(of: installation.business, on: pool).first { $0.wabaID == waba }!
    return Account(id: entry.account, waba: waba, currency: currency, zone: zone, numbers: made)
  }

  /// A campaign that is being sent, with a recipient per phone and a fact for each.
  func campaign(_ name: String, of account: Account, to phones: [Int64], category: Domain.Category = .marketing)
    async throws -> Campaign.ID
  {
    let rows = try await pool.run(
      """
      with t as (
        insert into template (business_id, account_id, meta_id, name, language, status, category, components, synced_at)
        values ($1, $2, '1', $3, 'ar', 'APPROVED', $4, '[]', now()) returning template_id
      )
      insert into campaign (campaign_id, business_id, name, state, spec, account_id, template_id, category, numbers,
        recipients, created_by, launched_at)
      select next_campaign_id(), $1, $3, 5, '{}', $2, template_id, $4, $5, $6, 'test', now() from t returning campaign_id
      """, .int8(installation.business.rawValue), .int8(account.id.rawValue), .text(name), .int2(category.rawValue),
      .int8s(account.numbers.map(\.id.rawValue)), .int8(Int64(phones.count)))
    let id = Campaign.ID(rows[0].int64(0))
    let seqs = phones.indices.map { Int32($0 + 1) }
    let people = phones.map { installation.personKeys.key(of: PhoneNumber(digits: $0)!) }
    _ = try await pool.batch([
      Statement(
        """
        insert into recipient (campaign_id, contact_id, phone, seq, person_key, vars)
        select $1, s, p, s, k, '{}' from unnest($2::int4[], $3::int8[], $4::uuid[]) x (s, p, k)
        """, [.int8(id.rawValue), .int4s(seqs), .int8s(phones), .uuids(people)]),
      Statement(
        """
        insert into fact (campaign_id, number_id, at, seq, code, attempt, outcome, wamid)
        select $1, ($3::int8[])[1 + s % array_length($3::int8[], 1)], now(), s, 0, 1, 5, 'wamid.' || $1 || '-' || s || '-1'
        from unnest($2::int4[]) x (s)
        """, [.int8(id.rawValue), .int4s(seqs), .int8s(account.numbers.map(\.id.rawValue))]),
    ])
    return id
  }

  /// Stores receipts as intake would, in one flush.
  func receive(_ receipts: [Receipt]) async throws {
    let k = stream.with { stream -> Int64 in
      stream.k += 1
      return stream.k
    }
    try await ReceiptLog.append(
      receipts.map { $0.body(installation.name) }, with: [], stream: 77, k: k,
      day: Books.today, at: .now, on: connection)
  }

  func foldAll() async throws {
    while true {
      do { if try await folder.foldOnce().batches == 0 { return } } catch {
        // As the folder's own loop does: somebody else wrote in between, it reads again.
        guard case .rejected(.uniqueViolation, _)? = error as? DatabaseError else { throw error }
        await folder.forget()
      }
    }
  }

  func load(_ csv: String, replaces: Bool = false) async throws -> [Rates.Loaded] {
    let file = try RateFile.read(
      Array(csv.utf8), RateFile.Options(effectiveFrom: nil, currency: nil, isComplete: nil, source: "test"))
    return try await Rates.load(file, replaces: replaces, business: installation.business, by: "test", on: pool)
  }

  struct Sums: Equatable {
    var amount = Amount.zero
    var charged: Int64 = 0
    var free: Int64 = 0
    var unpriced: Int64 = 0
  }

  /// The ledger by currency.
  func ledger() async throws -> [String: Sums] {
    let rows = try await pool.run(
      """
      select currency, sum(amount), coalesce(sum(count) filter (where charge = 1 and reason <> 5), 0)::int8,
        coalesce(sum(count) filter (where charge = 2), 0)::int8, coalesce(sum(count) filter (where charge = 3), 0)::int8
      from posting group by 1
      """)
    return Dictionary(
      uniqueKeysWithValues: rows.map {
        ($0.text(0), Sums(amount: $0.amount(1), charged: $0.int64(2), free: $0.int64(3), unpriced: $0.int64(4)))
      })
  }
}

extension Books {
  /// The messages report, read as a CSV reader would.
  func report(after: String? = nil, format: MessageReport.Format = .csv, phones: Bool = true) async throws
    -> [[String: String]]
  {
    let rows = CSVText.rows(try await text(after: after, format: format, phones: phones))
    let names = after == nil ? rows.first ?? [] : MessageLines.columns
    return rows.dropFirst(after == nil ? 1 : 0).map { Dictionary(uniqueKeysWithValues: zip(names, $0)) }
  }

  func text(
    after: String? = nil, format: MessageReport.Format = .csv, phones: Bool = true,
    _ change: (inout MessageReport.Request) -> Void = { _ in }
  ) async throws -> String {
    var request = MessageReport.Request(
      business: installation.business, campaign: nil, from: nil, to: nil, showsPhones: phones, format: format)
    request.after = after.flatMap { MessageLines.Cursor($0) }
    change(&request)
    let bytes = Lock([UInt8]())
    let report = MessageReport(database: ConnectionSettings(url: url), on: Books.reactor)
    let produce = try report.open(request)
    _ = try await produce { chunk in bytes.with { $0 += chunk } }
    return String(decoding: bytes.with { $0 }, as: UTF8.self)
  }

  /// The exact net of all statements, by currency, from their CSV.
  func statements() async throws -> [String: Amount] {
    var sums: [String: Amount] = [:]
    for account in try await Statements.accounts(of: installation.business, on: pool) {
      for month in try await Statements.months(of: account.id, on: pool) {
        let statement = try await Statements.read(account, month.month, on: pool)
        let rows = CSVText.rows(StatementCSV.render(statement))
        for row in rows.dropFirst() where !row[3].hasPrefix("total") && row[3] != "vat" && !row[15].isEmpty {
          sums[row[16], default: .zero] += try #require(Amount(row[15]))
        }
        let exact = rows.first { $0[3] == "total_exact" }
        #expect(exact?[15] == statement.totals.exactNet.text() && statement.number != nil)
      }
    }
    return sums.filter { $0.value != .zero }
  }
}

extension Books {
  /// The ledger without volume discounts.
  func charges() async throws -> [String: Sums] {
    var sums = try await ledger()
    let rows = try await pool.run("select currency, sum(amount) from posting where reason = 5 group by 1")
    for row in rows { sums[row.text(0)]?.amount -= row.amount(1) }
    return sums.filter { $0.value != Sums() }
  }

  func closedMonths() async throws -> [String] {
    try await pool.run(
      "select a.waba_id || ' ' || to_char(s.month, 'YYYY-MM') from statement s join account a using (account_id)"
    ).map { $0.text(0) }
  }

  func statement(_ key: String) async throws -> String {
    let parts = key.split(separator: " ")
    let account = try await Statements.accounts(of: installation.business, on: pool).first { $0.wabaID == parts[0] }!
    return StatementCSV.render(try await Statements.read(account, BillingMonth(parts[1])!, on: pool))
  }
}

/// RFC 4180, strictly: CRLF ends rows, quotes are doubled.
enum CSVText {
  static func rows(_ text: String, delimiter: Character = ",") -> [[String]] {
    var rows: [[String]] = []
    var (row, cell, isQuoted) = ([String](), "", false)
    var rest = Array(text)[...]
    while let character = rest.popFirst() {
      switch character {
      case "\"" where isQuoted && rest.first == "\"":
        cell.append("\"")
        rest.removeFirst()
      case "\"": isQuoted.toggle()
      case delimiter where !isQuoted:
        row.append(cell)
        cell = ""
      case "\r\n" where !isQuoted:
        rows.append(row + [cell])
        (row, cell) = ([], "")
      default: cell.append(character)
      }
    }
    precondition(row.isEmpty && cell.isEmpty && !isQuoted, "the last row does not end")
    return rows
  }
}

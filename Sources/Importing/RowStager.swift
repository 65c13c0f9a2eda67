import Crypto
import Domain
import Phone
import Store

/// Judges rows and lays them out for COPY: people by phone, people by user id alone, and what is rejected. Bounded by
/// whoever takes the buffers away.
struct RowStager {
  /// Lines, and bytes of each, kept for download.
  static let rejectLimit = 100_000
  static let rawLimit = 2000
  static let consentTextLimit = 200

  private let options: ImportOptions
  private let keys: PersonKeys
  private let now: Instant
  private let declaredSource: [UInt8]

  /// line, phone, person_key, country, suspect, attributes, opt_in_source, consent_at, user_id
  private(set) var people = CopyBuffer(columns: 9)
  /// line, user_id, person_key, country, attributes, opt_in_source, consent_at
  private(set) var users = CopyBuffer(columns: 7)
  /// line, reason, remedy, raw
  private(set) var rejects = CopyBuffer(columns: 4)

  private(set) var rows = 0
  private(set) var rejected = 0
  private(set) var rejectsKept = 0
  private(set) var consented = 0
  private(set) var unreadableConsents = 0
  private(set) var foreign = 0
  private(set) var suspects = 0
  /// What the stage holds beside plain people.
  private(set) var holds = UploadTable.Holds()
  private(set) var reasons = Tally()
  private(set) var countries = Tally()
  private(set) var kinds = Tally()
  private(set) var fixes = Tally()

  init(_ options: ImportOptions, _ keys: PersonKeys, now: Instant) {
    (self.options, self.keys, self.now) = (options, keys, now)
    declaredSource = Array((options.consentSource ?? "").utf8)
  }

  /// Bytes that wait to be taken.
  var staged: Int { people.bytes.count + users.bytes.count + rejects.bytes.count }

  mutating func takePeople() -> [UInt8] { people.take() }
  mutating func takeUsers() -> [UInt8] { users.take() }
  mutating func takeRejects() -> [UInt8] { rejects.take() }

  /// The cells of one row that are not simply attributes.
  struct Cells {
    var phone: [UInt8] = []
    /// The row's own country: `.some(nil)` when it names one that does not exist.
    var region: PhoneRegion??
    var consentSource: [UInt8] = []
    var consentAt: [UInt8] = []
    var user: UserID?
  }

  /// `attributes`: a JSON object. `raw`: the row as it was written, for the file of rejected rows.
  mutating func stage(line: Int64, _ cells: Cells, attributes: [UInt8], raw: UnsafeBufferPointer<UInt8>) {
    rows += 1
    if cells.phone.isEmpty, let user = cells.user { return add(line, user, cells, attributes) }
    let region = cells.region ?? options.defaultRegion
    let reading = cells.phone.withUnsafeBufferPointer {
      PhoneReader.read(utf8: $0, region: region, options: options.phones)
    }
    let isOnItsOwn = cells.region == nil && options.defaultRegion != nil
    switch reading.verdict {
    case .accepted(let phone, let country, let fixed):
      if let fixed { fixes.count(fixed.rawValue) }
      if isOnItsOwn, country != options.defaultRegion?.code { foreign += 1 }
      add(line, phone, country, reading.kind, suspect: false, cells, attributes)
    case .suspect(let phone, let reason):
      if isOnItsOwn, reading.country != options.defaultRegion?.code { foreign += 1 }
      add(line, phone, reading.country, reading.kind, suspect: !options.acceptsPossible, cells, attributes)
      if !options.acceptsPossible {
        suspects += 1
        keep(line, reason.rawValue, RowRejection.suspectRemedy, raw)
      }
    case .rejected(let rejection):
      switch rejection {
      case .needsRegion, .otherCountry: if isOnItsOwn { foreign += 1 }
      default: break
      }
      rejected += 1
      reasons.count(rejection.word)
      keep(line, rejection.word, rejection.remedy, raw)
    }
  }

  mutating func reject(line: Int64, _ rejection: RowRejection, raw: UnsafeBufferPointer<UInt8>) {
    rows += 1
    rejected += 1
    reasons.count(rejection.rawValue)
    keep(line, rejection.rawValue, rejection.remedy, raw)
  }

  private mutating func add(
    _ line: Int64, _ phone: PhoneNumber, _ country: String, _ kind: PhoneKind, suspect: Bool, _ cells: Cells,
    _ attributes: [UInt8]
  ) {
    countries.count(country.isEmpty ? "unknown" : country)
    kinds.count(kind.rawValue)
    people.beginRow()
    people.int8(line)
    people.int8(phone.digits)
    people.uuid(keys.key(of: phone))
    people.text(country)
    people.bool(suspect)
    people.jsonb(attributes)
    let proof = consent(cells)
    people.consent(proof)
    if let user = cells.user {
      holds.userIDs = true
      people.text(user.text)
    } else {
      people.null()
    }
  }

  private mutating func add(_ line: Int64, _ user: UserID, _ cells: Cells, _ attributes: [UInt8]) {
    countries.count(user.country)
    kinds.count("user_id")
    holds.users = true
    users.beginRow()
    users.int8(line)
    users.text(user.text)
    users.uuid(keys.key(of: user))
    users.text(user.country)
    users.jsonb(attributes)
    let proof = consent(cells)
    users.consent(proof)
  }

  /// The consent a row carries: its source, and its time where it says one.
  private mutating func consent(_ cells: Cells) -> (source: ArraySlice<UInt8>, at: Instant?)? {
    let source = cells.consentSource.isEmpty ? declaredSource : cells.consentSource
    guard !source.isEmpty else { return nil }
    var at = options.consentAt
    if !cells.consentAt.isEmpty {
      guard let said = RowStager.instant(cells.consentAt), said <= now + .seconds(86_400) else {
        // Proof of consent needs its time: a date nobody can read proves nothing.
        unreadableConsents += 1
        return nil
      }
      at = said
    }
    consented += 1
    holds.consents = true
    return (UTF8Bytes.prefix(source, limit: RowStager.consentTextLimit), at)
  }

  private mutating func keep(
    _ line: Int64, _ reason: String, _ remedy: (english: String, arabic: String), _ raw: UnsafeBufferPointer<UInt8>
  ) {
    guard rejectsKept < RowStager.rejectLimit else { return }
    rejectsKept += 1
    rejects.beginRow()
    rejects.int8(line)
    rejects.text(reason)
    rejects.text(options.language == .arabic ? remedy.arabic : remedy.english)
    let text = String(decoding: raw.prefix(RowStager.rawLimit), as: UTF8.self)
    rejects.text(text.utf8.filter { $0 != 0 })
  }

  /// RFC 3339, or a day, which counts from its midnight in UTC.
  private static func instant(_ bytes: [UInt8]) -> Instant? {
    let text = String(decoding: bytes, as: UTF8.self)
    return Instant(rfc3339: CivilDate(text) == nil ? text : text + "T00:00:00Z")
  }
}

extension CopyBuffer {
  /// Two columns: opt_in_source, consent_at.
  fileprivate mutating func consent(_ proof: (source: ArraySlice<UInt8>, at: Instant?)?) {
    if let source = proof?.source { text(source) } else { null() }
    if let at = proof?.at { timestamptz(at) } else { null() }
  }
}

/// Why a row was refused before anybody looked at its phone.
enum RowRejection: String {
  case encoding
  case tooManyFields = "too_many_fields"
  case notJSON = "not_json"
  case nested
  case nameTooLong = "name_too_long"

  var remedy: (english: String, arabic: String) {
    switch self {
    case .encoding:
      (
        "The text is not in the file's encoding: export the file as CSV (UTF-8).",
        "ترميز النص يخالف ترميز الملف: صدّر الملف بصيغة CSV (UTF-8)."
      )
    case .tooManyFields:
      (
        "The row has more cells than the header: put text that holds the delimiter in quotation marks.",
        "خلايا السطر أكثر من أعمدة العناوين: ضع النص الذي يحتوي على الفاصل بين علامتي اقتباس."
      )
    case .notJSON:
      ("The line is not one JSON object: check it.", "السطر ليس كائن JSON واحدًا: راجعه.")
    case .nested:
      (
        "An attribute is a text, a number or true/false, not a list or an object.",
        "الخاصية نص أو رقم أو صح/خطأ، لا قائمة ولا كائن."
      )
    case .nameTooLong:
      ("The name of an attribute is too long.", "اسم الخاصية طويل جدًا.")
    }
  }

  static let suspectRemedy = (
    english:
      "Stored, but held back: its length is right, yet no network is known to have such numbers. Check it, or import "
      + "with accept=possible.",
    arabic: "حُفظ ولن يُرسل إليه: طول الرقم صحيح لكن لا تُعرف شبكة بهذه الأرقام. راجعه، أو استورد مع accept=possible."
  )
}

/// Counts by word. Neighbouring rows mostly share theirs, so the last one is kept at hand.
struct Tally {
  private(set) var finished: [String: Int] = [:]
  private var last = ""
  private var run = 0

  mutating func count(_ word: String) {
    if word == last {
      run += 1
    } else {
      settle()
      (last, run) = (word, 1)
    }
  }

  var counts: [String: Int] {
    var copy = self
    copy.settle()
    return copy.finished
  }

  private mutating func settle() {
    if run > 0 { finished[last, default: 0] += run }
    run = 0
  }
}

import Domain
import JSON

/// One object of a configuration: takes members by name and, at the end, refuses those nobody took.
struct ConfigurationReader {
  let path: String
  private let value: JSONValue
  private var taken: Set<String> = []

  init(_ value: JSONValue, path: String) throws(SandboxSettingsError) {
    guard value.objectValue != nil else { throw SandboxSettingsError(path: path, reason: "an object is expected") }
    (self.value, self.path) = (value, path)
  }

  func name(_ key: String) -> String { path.isEmpty ? key : path + "." + key }

  mutating func member<T>(
    _ key: String, _ expected: String, _ read: (JSONValue) -> T?
  ) throws(SandboxSettingsError) -> T? {
    taken.insert(key)
    guard let found = value[key], !found.isNull else { return nil }
    guard let result = read(found) else {
      throw SandboxSettingsError(path: name(key), reason: "\(expected) is expected")
    }
    return result
  }

  mutating func text(_ key: String, _ target: inout String) throws(SandboxSettingsError) {
    if let value = try member(key, "a string", { $0.stringValue }) { target = value }
  }
  mutating func int(_ key: String, _ range: ClosedRange<Int>, _ target: inout Int) throws(SandboxSettingsError) {
    let expected = "a whole number from \(range.lowerBound) to \(range.upperBound)"
    if let value = try member(key, expected, { $0.int64Value.map(Int.init).flatMap { range.contains($0) ? $0 : nil } })
    {
      target = value
    }
  }
  mutating func double(_ key: String, _ range: ClosedRange<Double>, _ target: inout Double) throws(SandboxSettingsError)
  {
    let expected = "a number from \(range.lowerBound) to \(range.upperBound)"
    if let value = try member(key, expected, { $0.doubleValue.flatMap { range.contains($0) ? $0 : nil } }) {
      target = value
    }
  }
  mutating func bool(_ key: String, _ target: inout Bool) throws(SandboxSettingsError) {
    if let value = try member(key, "true or false", { $0.boolValue }) { target = value }
  }
  mutating func milliseconds(_ key: String, _ target: inout Duration) throws(SandboxSettingsError) {
    let read: (JSONValue) -> Int64? = { $0.int64Value.flatMap { (0...86_400_000).contains($0) ? $0 : nil } }
    if let value = try member(key, "milliseconds, at most a day", read) { target = .milliseconds(value) }
  }
  mutating func array(_ key: String) throws(SandboxSettingsError) -> [JSONValue]? {
    try member(key, "an array") { $0.arrayValue }
  }
  mutating func object(_ key: String) throws(SandboxSettingsError) -> ConfigurationReader? {
    guard let found = try member(key, "an object", { $0.objectValue == nil ? nil : $0 }) else { return nil }
    return try ConfigurationReader(found, path: name(key))
  }

  func finish() throws(SandboxSettingsError) {
    for (key, _) in value.objectValue ?? [] where !taken.contains(key) {
      throw SandboxSettingsError(path: name(key), reason: "nothing of that name is known here")
    }
  }
}

extension SandboxSettings {
  /// The defaults, overridden by a JSON object. Unknown names are refused, so that a misspelt one is not silently
  /// ignored:
  ///
  ///     {"listen": "127.0.0.1:9090", "seed": 7, "app_secret": "…", "verify_token": "…", "webhook_url": "http://…",
  ///      "latency_ms": 20, "enforce_tier": true,
  ///      "receipts": {"on": true, "batch": 100, "flush_ms": 50, "in_flight": 4, "delay_scale": 0.01,
  ///      "disorder_rate": 0.03, "duplicate_rate": 0.02, "skipped_delivered_rate": 0.02, "retry_ms": 1000, "max_queue_mb": 64},
  ///      "people": {…}, "accounts": [{"id": "…", "currency": "USD", "timezone_id": 53, "utc_offset_minutes": 120,
  ///      "volume_tiers": [{"market": "Egypt", "category": "utility", "above": 100000, "price_millionths": 3000}],
  ///      "access_token": "…", "subscribed": true, "numbers": [{"id": "…", "display_phone_number": "…", "throughput": 80,
  ///      "tier": "TIER_100K", "quality": "GREEN", "status": "CONNECTED"}], "templates": […]}]}
  public init(json: [UInt8]) throws(SandboxSettingsError) {
    let value: JSONValue
    do { value = try JSONValue(parsing: json) } catch {
      throw SandboxSettingsError(path: "", reason: "not JSON: \(error)")
    }
    self.init()
    var root = try ConfigurationReader(value, path: "")
    if let listen = try root.member("listen", "address:port", { $0.stringValue }) {
      guard let colon = listen.lastIndex(of: ":"), let port = UInt16(listen[listen.index(after: colon)...]) else {
        throw SandboxSettingsError(path: "listen", reason: "address:port is expected")
      }
      address = String(listen[..<colon].filter { $0 != "[" && $0 != "]" })
      self.port = port
    }
    if let seed = try root.member("seed", "a whole number", { $0.int64Value }) { self.seed = UInt64(bitPattern: seed) }
    try root.text("app_secret", &appSecret)
    try root.text("verify_token", &verifyToken)
    if let url = try root.member("webhook_url", "a string", { $0.stringValue }) { webhookURL = url }
    try root.milliseconds("latency_ms", &latency)
    try root.bool("enforce_tier", &enforcesTier)
    if var section = try root.object("receipts") { try receipts.read(&section) }
    if var section = try root.object("people") { try people.read(&section) }
    if let list = try root.array("accounts") {
      var read: [Account] = []
      for (index, value) in list.enumerated() {
        var section = try ConfigurationReader(value, path: "accounts[\(index)]")
        read.append(try Account(&section))
      }
      accounts = read
    }
    try root.finish()
  }
}

extension SandboxSettings.Receipts {
  mutating func read(_ section: inout ConfigurationReader) throws(SandboxSettingsError) {
    try section.bool("on", &on)
    try section.int("batch", 1...1000, &batch)
    try section.milliseconds("flush_ms", &flushDelay)
    try section.int("in_flight", 1...256, &inFlight)
    try section.double("delay_scale", 0...1000, &delayScale)
    try section.double("disorder_rate", 0...1, &disorderRate)
    try section.double("duplicate_rate", 0...1, &duplicateRate)
    try section.double("skipped_delivered_rate", 0...1, &skippedDeliveredRate)
    try section.milliseconds("retry_ms", &retryDelay)
    var megabytes = maxQueueBytes >> 20
    try section.int("max_queue_mb", 1...4096, &megabytes)
    maxQueueBytes = megabytes << 20
    try section.finish()
  }
}

extension SandboxSettings.Account {
  init(_ section: inout ConfigurationReader) throws(SandboxSettingsError) {
    guard let id = try section.member("id", "digits", { $0.stringValue.flatMap { Int64($0) == nil ? nil : $0 } }) else {
      throw SandboxSettingsError(path: section.name("id"), reason: "required")
    }
    var read: [SandboxSettings.Number] = []
    for (index, value) in (try section.array("numbers") ?? []).enumerated() {
      var number = try ConfigurationReader(value, path: section.name("numbers[\(index)]"))
      read.append(try SandboxSettings.Number(&number))
    }
    self.init(id: id, numbers: read)
    try section.text("name", &name)
    try section.text("currency", &currency)
    try section.int("timezone_id", 0...1000, &timezoneID)
    try section.int("utc_offset_minutes", -840...840, &utcOffsetMinutes)
    for (index, value) in (try section.array("volume_tiers") ?? []).enumerated() {
      var tier = try ConfigurationReader(value, path: section.name("volume_tiers[\(index)]"))
      volumeTiers.append(try SandboxSettings.VolumeTier(&tier))
    }
    try section.text("access_token", &accessToken)
    try section.bool("subscribed", &isSubscribed)
    if let list = try section.array("templates") { templates = list }
    try section.finish()
  }
}

extension SandboxSettings.Number {
  init(_ section: inout ConfigurationReader) throws(SandboxSettingsError) {
    guard let id = try section.member("id", "digits", { $0.stringValue.flatMap { Int64($0) == nil ? nil : $0 } }) else {
      throw SandboxSettingsError(path: section.name("id"), reason: "required")
    }
    self.init(id: id, displayNumber: "+20 10 9000 0000")
    try section.text("display_phone_number", &displayNumber)
    try section.text("verified_name", &verifiedName)
    try section.int("throughput", 1...100_000, &throughput)
    try section.text("tier", &tier)
    try section.text("quality", &quality)
    try section.text("status", &status)
    try section.finish()
  }
}

extension SandboxSettings.VolumeTier {
  init(_ section: inout ConfigurationReader) throws(SandboxSettingsError) {
    guard let market = try section.member("market", "a market's name", { $0.stringValue }),
      let category = try section.member(
        "category", "utility or authentication",
        { $0.stringValue.flatMap { ["utility", "authentication"].contains($0) ? $0 : nil } }),
      let above = try section.member("above", "messages", { $0.int64Value.flatMap { $0 > 0 ? $0 : nil } }),
      let price = try section.member("price_millionths", "a whole number", { $0.int64Value.flatMap { $0 >= 0 ? $0 : nil } })
    else { throw SandboxSettingsError(path: section.name("above"), reason: "market, category, above, price_millionths") }
    self.init(market: market, category: category, above: above, price: price)
    try section.finish()
  }
}

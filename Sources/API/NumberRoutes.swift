import CloudAPI
import Domain
import Governor
import HTTPServer
import JSON
import Postgres
import Reactor
import Schedule
import Store

/// Numbers: registered against Meta, shown with what Meta says of them, paused and resumed.
struct NumberRoutes: Sendable {
  let services: APIServices
  init(_ services: APIServices) { self.services = services }

  func add(to router: inout Router) {
    router.add("POST", "/v1/numbers", .key(.manageNumbers), register)
    router.add("GET", "/v1/numbers", .key(.read), list)
    router.add("GET", "/v1/numbers/{id}", .key(.read), show)
    router.add("GET", "/v1/numbers/{id}/history", .key(.read), history)
    router.add("POST", "/v1/numbers/{id}/pause", .key(.pauseNumbers), pause)
    router.add("POST", "/v1/numbers/{id}/resume", .key(.pauseNumbers), resume)
    router.add("POST", "/v1/numbers/{id}/warm-up", .key(.pauseNumbers), warmUp)
  }

  /// Reads the number and its account with the token given, subscribes the app, and only then stores anything.
  private func register(_ call: Call) async throws -> HTTPResponse {
    let fields = try Fields(
      try call.json(), known: ["phone_number_id", "waba_id", "access_token", "label", "zone", "portfolio_id", "warm_up"],
      later: ["pin", "reserve_for_others", "per_second"])
    let phoneNumberID = try fields.requiredText("phone_number_id", limit: 32, remedy: "Write Meta's id of the number.")
    let wabaID = try fields.requiredText(
      "waba_id", limit: 32, remedy: "Write Meta's id of the WhatsApp Business Account.")
    let token = try fields.requiredText(
      "access_token", limit: 2000, remedy: "Write a system user's token for the account.")
    let label = try fields.text("label", limit: 60)
    let portfolio = try fields.text("portfolio_id", limit: 32)
    let givenZone = try fields.text("zone", limit: 60)
    let ramp = try fields["warm_up"].map { json throws(Problem) in try WarmUp(json: json, at: "warm_up") }

    let node = try await asking("phone_number_id") { () async throws(GraphError) in
      try await services.graph.phoneNumber(phoneNumberID, token: token)
    }
    let account = try await asking("waba_id") { () async throws(GraphError) in
      try await services.graph.account(wabaID, token: token)
    }
    let siblings = try await asking("waba_id") { () async throws(GraphError) in
      try await services.graph.phoneNumbers(ofAccount: wabaID, token: token)
    }
    guard siblings.contains(where: { $0.id == phoneNumberID }) else {
      throw Problem(
        422, "number_of_other_account", "The number does not belong to the account.",
        detail: "Meta does not list this phone_number_id under this waba_id.", field: "waba_id",
        remedy: "Write the id of the account that owns the number.")
    }
    guard let phone = node.phone else {
      throw Problem.invalid(
        "phone_number_id", "Meta shows no phone for this number.", remedy: "Finish its registration at Meta first.")
    }
    guard let currency = account.currency else {
      throw Problem.invalid(
        "waba_id", "Meta shows no currency for the account.",
        remedy: "Add a payment method to the account at Meta first.")
    }
    guard let zone = givenZone ?? account.zone else {
      throw Problem.invalid(
        "zone", "Meta's time zone \(account.timezoneID.map(String.init) ?? "of the account") is not one we know.",
        remedy: "Add \"zone\" with an IANA name, e.g. \"Africa/Cairo\".")
    }
    do {
      _ = try Zone(named: zone)
    } catch {
      throw Problem.invalid(
        "zone", "There is no time zone of this name.", remedy: "Write an IANA name, e.g. \"Africa/Cairo\".")
    }
    try await asking("access_token") { () async throws(GraphError) in
      try await services.graph.subscribe(account: wabaID, token: token)
    }

    let sealed = services.tokens.sealed(token)
    var registration = Numbers.Registration(
      phoneNumberID: phoneNumberID, wabaID: wabaID, portfolio: portfolio, currency: currency.code, zone: zone,
      subscribed: true,
      phone: phone, sealedToken: sealed.sealed, tokenDigest: sealed.digest, seen: Numbers.Observation(
        display: node.display, verifiedName: node.verifiedName, status: node.status, quality: node.quality.word,
        tier: node.tier.word, perSecond: node.messagesPerSecond))
    registration.label = label ?? ""
    registration.accountName = account.name ?? ""
    guard
      try await Numbers.register(
        registration, business: call.caller.business, by: call.caller.actor, on: services.pool) != nil
    else {
      throw Problem(
        409, "number_taken", "The number belongs to another business here.",
        detail: "Another business of this installation registered it.", remedy: "Ask whoever runs the service.")
    }
    if let ramp { try await setWarmUp(ramp, of: try await find(phoneNumberID, call), call) }
    let entry = try await find(phoneNumberID, call)
    var object = try await view(entry, call)
    if !node.isConnected {
      object.append(
        "warning",
        .string(
          "Meta says \(node.status ?? "nothing") of this number: it is not connected and sends are refused (133010). "
            + "Register it at Meta (POST /{phone_number_id}/register with its PIN)."))
    }
    return .json(201, .object(object))
  }

  private func list(_ call: Call) async throws -> HTTPResponse {
    let pauses = try await Pauses.open(of: call.caller.business, on: services.pool)
    let entries = try await Numbers.list(of: call.caller.business, on: services.pool)
    let people = try await NumberRoutes.people(entries, of: call.caller.business, services)
    return .page(entries.map { .object(NumberView.json($0, pauses, people[$0.id], call.language)) }, next: nil)
  }

  private func show(_ call: Call) async throws -> HTTPResponse {
    let entry = try await find(call.parameters["id"] ?? "", call)
    var object = try await view(entry, call)
    let history = try await Pauses.history(.number, entry.id.rawValue, limit: 20, on: services.pool)
    object.append("pauses", .array(history.map(PauseView.json)))
    return .json(200, .object(object))
  }

  /// What was seen of the number, the newest first: when, how, what.
  private func history(_ call: Call) async throws -> HTTPResponse {
    let entry = try await find(call.parameters["id"] ?? "", call)
    let seen = try await NumberWatch.history(entry.id, limit: 500, on: services.pool)
    return .page(
      seen.map {
        ["at": .time($0.at), "source": .string($0.source), "observation": .stored($0.observation)]
      }, next: nil)
  }

  private func pause(_ call: Call) async throws -> HTTPResponse {
    let reason = try Reason.optional(try call.json())
    let entry = try await find(call.parameters["id"] ?? "", call)
    _ = try await services.pool.batch([
      Pauses.opening(
        .number, entry.id.rawValue, business: call.caller.business, cause: .operator, reason: reason,
        actor: call.caller.actor),
      Audit.entry(
        business: call.caller.business, actor: call.caller.actor, action: "number_paused",
        subject: entry.phoneNumberID),
    ])
    return .json(200, .object(try await view(entry, call)))
  }

  /// Ends what stands over this number alone: a stop of everything, or of the account, is undone where it was made.
  private func resume(_ call: Call) async throws -> HTTPResponse {
    let reason = try Reason.required(try call.json())
    let entry = try await find(call.parameters["id"] ?? "", call)
    let open = try await Pauses.open(.number, entry.id.rawValue, on: services.pool)
    guard !open.isEmpty else {
      throw Problem(
        409, "not_paused", "Nothing here is paused.", detail: "No pause stands over this number itself.",
        remedy: "GET /v1/pauses shows every pause that stands; POST /v1/pauses/{id}/resume ends one.")
    }
    _ = try await services.pool.batch([
      Pauses.ending(open.map(\.id), reason: reason, actor: call.caller.actor),
      Audit.entry(
        business: call.caller.business, actor: call.caller.actor, action: "number_resumed", subject: entry.phoneNumberID
      ),
    ])
    return .json(200, .object(try await view(entry, call)))
  }

  /// A ramp from today on, or none: what it held back goes on at once.
  private func warmUp(_ call: Call) async throws -> HTTPResponse {
    let json = try call.json()
    let isOff = try Fields(json, known: ["start", "growth", "until", "off"]).flag("off") ?? false
    let ramp = isOff ? nil : try WarmUp(json: json, at: "")
    try await setWarmUp(ramp, of: try await find(call.parameters["id"] ?? "", call), call)
    return .json(200, .object(try await view(try await find(call.parameters["id"] ?? "", call), call)))
  }

  private func setWarmUp(_ ramp: WarmUp?, of entry: Numbers.Entry, _ call: Call) async throws {
    guard let zone = Zones.named(entry.zone) else {
      throw Problem.invalid("zone", "The account's zone \(entry.zone) is not known here.", remedy: "Register the number with \"zone\".")
    }
    try await Numbers.setWarmUp(
      ramp, of: entry, in: zone, business: call.caller.business, by: call.caller.actor, on: services.pool)
  }

  private func view(_ entry: Numbers.Entry, _ call: Call) async throws -> JSONObject {
    NumberView.json(
      entry, try await Pauses.open(of: call.caller.business, on: services.pool),
      try await NumberRoutes.people([entry], of: call.caller.business, services)[entry.id], call.language)
  }

  /// How the limits of people stand, by number.
  static func people(_ numbers: [Numbers.Entry], of business: Business.ID, _ services: APIServices) async throws
    -> [Number.ID: PeopleView]
  {
    let used = try await PeopleCounts.used(of: business, on: services.pool)
    let now = Instant.now
    return Dictionary(
      uniqueKeysWithValues: numbers.map {
        ($0.id, PeopleView($0, used, headroomPercent: services.tierHeadroomPercent, at: now))
      })
  }

  private func find(_ word: String, _ call: Call) async throws -> Numbers.Entry {
    let found = try await Numbers.find(word, of: call.caller.business, on: services.pool)
    guard let entry = found.first else { throw Problem.notFound("number") }
    guard found.count == 1 else {
      throw Problem(
        409, "label_not_unique", "Several numbers have this label.", detail: "\(found.count) numbers have this label.",
        remedy: "Use the phone_number_id.")
    }
    return entry
  }

  private func asking<R>(_ field: String, _ body: () async throws(GraphError) -> R) async throws -> R {
    do throws(GraphError) {
      return try await body()
    } catch {
      throw Problem(error, field: field)
    }
  }
}

/// A number in answers.
enum NumberView {
  static func json(
    _ entry: Numbers.Entry, _ pauses: [Pauses.Entry], _ people: PeopleView?, _ language: Language
  ) -> JSONObject {
    let own = pauses.filter { covers($0, entry) }
    let state: Sentences.NumberState =
      !own.isEmpty ? .paused : !["CONNECTED", "FLAGGED", "UNKNOWN"].contains(entry.status) ? .disconnected
      : people?.today != nil ? .warmingUp : .ready
    var reason: JSONObject = [
      "code": .string(own.first?.cause ?? state.rawValue),
      "text": .string(
        Sentences.number(
          state, language, who: own.first?.actor ?? "", reason: own.first.map { CampaignView.words($0, language) } ?? "",
          people: people?.today?.people ?? 0)),
    ]
    // It sends no more now: until when, by which limit.
    if own.isEmpty, let full = people?.full {
      reason["code"] = .string(full.limit.rawValue)
      reason["text"] = .string(
        Sentences.campaign(
          .waiting, language, time: CampaignView.clock(full.until, in: entry.zone),
          reason: Sentences.reason(full.limit.rawValue, language)))
      reason.append("until", .time(full.until))
    }
    if let first = own.first {
      reason.append("by", .string(first.actor))
      reason.append("since", .time(first.at))
      reason.append("evidence", .stored(first.evidence))
    }
    return [
      "phone_number_id": .string(entry.phoneNumberID), "waba_id": .string(entry.wabaID),
      "phone": .string(entry.phone.e164),
      "label": .string(entry.label), "verified_name": .string(entry.verifiedName), "state": .string(state.rawValue),
      "state_reason": .object(reason), "status": .string(entry.status), "quality": .string(entry.quality),
      "quality_text": .string(Sentences.quality(entry.quality, language)), "tier": .string(entry.tier),
      "people_24h": people?.people ?? .null, "warm_up": people?.warmUp(entry.warmUp) ?? .null,
      "throughput": [
        "level": .string(entry.throughput), "per_second": .count(entry.limit), "free_per_second": .count(entry.free),
      ],
      "currency": .string(entry.currency), "zone": .string(entry.zone), "observed_at": .time(entry.observedAt),
      "registered_at": .time(entry.createdAt),
    ]
  }

  /// Whether a pause stands over the number, alone or with others.
  static func covers(_ pause: Pauses.Entry, _ entry: Numbers.Entry) -> Bool {
    switch pause.scope {
    case .business: true
    case .portfolio: pause.scopeID == entry.portfolio.rawValue
    case .account: pause.scopeID == entry.account.rawValue
    case .token: pause.scopeID == entry.token.rawValue
    case .number: pause.scopeID == entry.id.rawValue
    case .template, .campaign: false
    }
  }
}

extension Problem {
  /// What Meta's answer means to whoever asked.
  init(_ error: GraphError, field: String?) {
    switch error {
    case .refused(let refusal):
      let auth = [0, 3, 10, 190, 200, 104, 131005].contains(refusal.code) || (200...299).contains(refusal.code)
      self.init(
        422, auth ? "token_refused" : "meta_refused",
        auth ? "Meta refuses the access token." : "Meta refused the request.",
        detail: "Meta answered with its error \(refusal.code).", field: auth ? "access_token" : field,
        remedy: auth
          ? "Give a system user's token with whatsapp_business_messaging and whatsapp_business_management for it."
          : "Check the id at Meta, and that the token belongs to its account.")
    case .unreachable(let reason), .unanswered(let reason):
      self.init(
        502, "meta_away", "Meta could not be asked.", detail: "The Graph API gave no answer: \(reason).",
        remedy: "Try again in a moment; check QAFILA_GRAPH_URL and the network.")
    case .unexpected(let status):
      self.init(
        502, "meta_unexpected", "Meta's answer was not understood.", detail: "The Graph API answered \(status).",
        remedy: "Check QAFILA_GRAPH_URL and QAFILA_GRAPH_VERSION.")
    case .malformedID:
      self.init(
        422, "field_invalid", "A field cannot be used as it is.", detail: "This is not an id of Meta's.", field: field,
        remedy: "Write the digits that Meta shows.")
    }
  }
}

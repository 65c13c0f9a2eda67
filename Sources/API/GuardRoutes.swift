import Domain
import HTTPServer
import JSON
import Postgres
import Store

/// What other rules would have made of a past campaign.
struct GuardRoutes: Sendable {
  let services: APIServices
  init(_ services: APIServices) { self.services = services }

  func add(to router: inout Router) {
    router.add("POST", "/v1/campaigns/{id}/guard/replay", .key(.replayGuard), replay)
  }

  /// The campaign's own rules, with those that the body names in their place. Nothing is changed.
  private func replay(_ call: Call) async throws -> HTTPResponse {
    guard let entry = try await Campaigns.read(try call.id("campaign"), of: call.caller.business, on: services.pool) else {
      throw Problem.notFound("campaign")
    }
    let rules = try CampaignSpec(json: .stored(entry.spec)).guarding.changed(by: try call.json())
    let history = try await GuardHistory.read(entry.id, on: services.pool)
    guard !history.moments.isEmpty else {
      throw Problem(
        409, "nothing_sent", "Nothing of this campaign has left.", detail: "There is nothing to judge yet.",
        remedy: "Replay a campaign that has sent.")
    }
    let replay = services.replayGuard(history, rules)
    var object: JSONObject = [
      "campaign": .id(entry.id), "rules": rules.replayed,
      "would_pause": replay.pause.map { GuardRoutes.json($0, call.language) } ?? .null,
      "would_slow": replay.slow.map { GuardRoutes.json($0, call.language) } ?? .null, "messages_left": .count(replay.left),
      "messages_earlier": replay.messagesEarlier.map { .count($0) } ?? .null,
      "paused": .array(history.pauses.map { ["rule": .string($0.rule), "at": .time($0.at)] }),
      "step_seconds": .count(Int(history.step.nanoseconds / 1_000_000_000)),
      "text": .string(
        Sentences.replay(
          call.language, at: replay.pause?.at.rfc3339() ?? "", rule: replay.pause.map { words($0.rule, call) } ?? "",
          left: replay.pause?.left ?? replay.left, of: replay.left, earlier: replay.messagesEarlier,
          wasPaused: replay.leftBeforePause != nil)),
    ]
    if history.untimedStops > 0 {
      object.append("stops_without_time", .count(history.untimedStops))
      object.append("note", .string(Sentences.untimedStops(call.language, history.untimedStops)))
    }
    return .json(200, .object(object))
  }

  private func words(_ rule: GuardRule, _ call: Call) -> String {
    call.language == .arabic ? rule.arabicSentence : rule.sentence
  }

  private static func json(_ stop: GuardHistory.Replay.Stop, _ language: Language) -> JSONValue {
    [
      "rule": .string(stop.rule.rawValue), "text": .string(language == .arabic ? stop.rule.arabicSentence : stop.rule.sentence),
      "at": .time(stop.at), "evidence": stop.evidence, "messages_left": .count(stop.left),
    ]
  }
}

extension Sentences {
  /// `earlier`: than the guard's own first pause, or than the end.
  static func replay(
    _ language: Language, at: String, rule: String, left: Int, of total: Int, earlier: Int?, wasPaused: Bool
  ) -> String {
    guard let earlier else {
      return language == .arabic
        ? "بهذه القواعد لم يكن شيء ليوقفها؛ خرجت \(total) رسالة." : "With these rules nothing would have stopped it; \(total) messages left."
    }
    switch (language, earlier >= 0, wasPaused) {
    case (.arabic, true, true):
      return "بهذه القواعد كانت ستتوقف في \(at) بسبب \(rule)، بعد \(left) من \(total) رسالة: أبكر بـ \(earlier) رسالة مما حدث."
    case (.arabic, true, false):
      return "بهذه القواعد كانت ستتوقف في \(at) بسبب \(rule)، بعد \(left) من \(total) رسالة: أقل بـ \(earlier) رسالة."
    case (.arabic, false, _):
      return "بهذه القواعد كانت ستتوقف في \(at) بسبب \(rule)، بعد \(left) من \(total) رسالة: متأخرة بـ \(-earlier) رسالة عما حدث."
    case (.english, true, true):
      return "With these rules it would have stopped at \(at) because \(rule), after \(left) of \(total) messages: "
        + "\(earlier) messages earlier than it did."
    case (.english, true, false):
      return "With these rules it would have stopped at \(at) because \(rule), after \(left) of \(total) messages: "
        + "\(earlier) fewer would have left."
    case (.english, false, _):
      return "With these rules it would have stopped at \(at) because \(rule), after \(left) of \(total) messages: "
        + "\(-earlier) messages later than it did."
    }
  }

  static func untimedStops(_ language: Language, _ count: Int) -> String {
    language == .arabic
      ? "\(count) من طلبات الإيقاف سُجّلت قبل حفظ أوقاتها، فلا تراها هذه المراجعة."
      : "\(count) opt-outs were counted before their times were kept; this replay does not see them."
  }
}

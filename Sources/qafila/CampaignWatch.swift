import JSON
import Reactor

/// Follows a campaign: a live bar on a terminal, a line at each change of state elsewhere.
enum CampaignWatch {
  static func run(_ invocation: Invocation) async throws {
    let until = invocation.option("until") ?? "done"
    guard ["sent", "done"].contains(until) else { throw UsageError("--until is sent or done.") }
    let client = try ServiceClient(invocation)
    let path = "/v1/campaigns/" + ServiceClient.encoded(invocation.required(0))
    var lastState = ""
    while true {
      let campaign = try await client.get(path)
      let state = campaign.text("state")
      if state != lastState {
        Terminal.endRedraw(after: !lastState.isEmpty)
        Terminal.say(state + ": " + campaign.text("state_reason.text"))
        lastState = state
      }
      draw(campaign)
      let isOver = ["completed", "cancelled", "failed"].contains(state)
      if isOver || (until == "sent" && state == "settling") {
        Terminal.endRedraw()
        invocation.show(campaign) { CampaignSheet.text($0) }
        if state == "failed" { throw ExitCode.refused }
        return
      }
      try await Qafila.reactor.sleep(for: .milliseconds(Terminal.isErrorTerminal ? 500 : 1000))
    }
  }

  private static func draw(_ campaign: JSONValue) {
    guard let progress = campaign["progress"], let total = progress["total"]?.int64Value, total > 0 else { return }
    var tail: [String] = []
    if !progress.text("rate_per_second").isEmpty { tail.append(progress.text("rate_per_second") + "/s") }
    if let seconds = progress["eta_seconds"]?.int64Value { tail.append(duration(Int(seconds)) + " left") }
    let states = campaign["counts"]?["states"]
    let delivered = (states?["delivered"]?.int64Value ?? 0) + (states?["read"]?.int64Value ?? 0)
    tail.append("delivered \(Progress.grouped(Int(delivered)))")
    if let failed = states?["failed"]?.int64Value, failed > 0 { tail.append("failed \(Progress.grouped(Int(failed)))") }
    if let cost = campaign["cost"]?.arrayValue?.first { tail.append(cost.text("amount") + " " + cost.text("currency")) }
    Terminal.redraw(
      Progress.line(
        campaign.text("state"), Int(progress["done"]?.int64Value ?? 0), Int(total), tail.joined(separator: " · ")))
  }

  static func duration(_ seconds: Int) -> String {
    seconds < 60
      ? "\(seconds) s"
      : seconds < 3600 ? "\(seconds / 60) min \(seconds % 60) s" : "\(seconds / 3600) h \(seconds % 3600 / 60) min"
  }
}

extension Terminal {
  static func endRedraw(after wasDrawn: Bool) { if wasDrawn { endRedraw() } }
}

import JSON

/// What the guard would have done under other rules.
enum GuardCommand {
  static let commands = [
    Command(
      words: ["guard", "replay"], arguments: ["ID"], summary: "judge a past campaign by other rules",
      details: [
        """
        Says when they would have paused it and how many messages earlier. What is not given is as the campaign had it. \
        Nothing is changed.
        """
      ],
      options: [
        Option("max-opt-out", "SHARE", "of the people reached, 0.001 to 1"),
        Option("max-undeliverable", "SHARE", "of the people tried, 0.001 to 1"),
        Option("pause-at", "COLOUR", "YELLOW or RED"),
        Option("rules", "FILE", "the same as JSON; - is standard input"), Commands.json,
      ], settings: Setting.client, run: replay)
  ]

  private static func replay(_ invocation: Invocation) async throws {
    var rules = JSONObject()
    if let file = invocation.option("rules") {
      for (name, value) in try CampaignsCommand.document(file).objectValue ?? [] { rules.append(name, value) }
    }
    for option in ["max-opt-out", "max-undeliverable"] {
      guard let text = invocation.option(option) else { continue }
      guard Double(text) != nil else { throw UsageError("--\(option) is a share, e.g. 0.02.") }
      rules.append(option.replacing("-", with: "_"), .number(text))
    }
    if let colour = invocation.option("pause-at") { rules.append("pause_at", .string(colour.uppercased())) }
    let path = "/v1/campaigns/" + ServiceClient.encoded(invocation.required(0)) + "/guard/replay"
    let answer = try await ServiceClient(invocation).post(path, .object(rules))
    invocation.show(answer) { answer in
      var sheet = Sheet()
      sheet.add("campaign", answer.text("campaign"))
      sheet.add(
        "rules",
        "opt-outs \(answer.text("rules.max_opt_out")), undeliverable \(answer.text("rules.max_undeliverable")), colour "
          + answer.text("rules.pause_at"))
      sheet.add("", answer.text("text"))
      if answer["would_slow"]?.objectValue != nil {
        sheet.add("half pace", "\(answer.time("would_slow.at")), after \(answer.text("would_slow.messages_left")) messages")
      }
      for pause in answer["paused"]?.arrayValue ?? [] { sheet.add("paused", "\(pause.time("at")), \(pause.text("rule"))") }
      sheet.add("note", answer.text("note"))
      return sheet.text
    }
  }
}

import JSON

/// What stands still and why, and the way out: also over an account, a token or a template, which have no command of
/// their own.
enum PausesCommand {
  static let commands = [
    Command(
      words: ["pauses", "list"], summary: "every pause that stands, over whatever", options: [Commands.json],
      settings: Setting.client, run: list),
    Command(
      words: ["pauses", "resume"], arguments: ["ID"], summary: "end one pause",
      details: ["When its cause still holds, Meta's next refusal opens it anew."],
      options: [Option("reason", "TEXT", "why it may go on; required"), Commands.json], settings: Setting.client,
      run: resume),
  ]

  private static func list(_ invocation: Invocation) async throws {
    invocation.showList(
      try await ServiceClient(invocation).all("/v1/pauses"),
      [
        ("id", .right, { $0.text("id") }), ("over", .left, { $0.text("scope") + " " + $0.text("scope_id") }),
        ("cause", .left, { $0.text("cause") }), ("rule", .left, { $0.text("rule") }), ("by", .left, { $0.text("by") }),
        ("since", .left, { $0.time("since") }), ("reason", .left, { $0.text("reason") }),
      ])
  }

  private static func resume(_ invocation: Invocation) async throws {
    let path = "/v1/pauses/" + ServiceClient.encoded(invocation.required(0)) + "/resume"
    let answer = try await ServiceClient(invocation).post(path, invocation.reason)
    invocation.show(answer) { "Ended: pause \($0.text("id")) over \($0.text("scope")) \($0.text("scope_id"))." }
  }
}

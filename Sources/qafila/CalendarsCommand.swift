import JSON

enum CalendarsCommand {
  static let commands = [
    Command(
      words: ["calendars", "list"], summary: "calendars of days and hours in which nobody is written to",
      options: [Commands.json], settings: Setting.client, run: list),
    Command(
      words: ["calendars", "show"], arguments: ["NAME"], summary: "a calendar as it was loaded", settings: Setting.client,
      run: show),
    Command(
      words: ["calendars", "load"], arguments: ["NAME", "FILE"],
      summary: "load or replace a calendar, also while campaigns run (- is standard input)",
      details: [
        """
        CSV with the header date,country,from,to,kind. date is a day, the first and last day of several \
        (2027-02-08/2027-03-09) or a day of every week (fri); country is a code or *; without times the whole day.
        """
      ],
      options: [Commands.json], settings: Setting.client, run: load),
    Command(
      words: ["calendars", "remove"], arguments: ["NAME"], summary: "remove a calendar", options: [Commands.json],
      settings: Setting.client, run: remove),
  ]

  private static func path(_ invocation: Invocation) -> String {
    "/v1/calendars/" + ServiceClient.encoded(invocation.required(0))
  }

  private static func list(_ invocation: Invocation) async throws {
    invocation.showList(
      try await ServiceClient(invocation).all("/v1/calendars"),
      [
        ("name", .left, { $0.text("name") }), ("lines", .right, { $0.text("lines") }),
        ("by", .left, { $0.text("by") }), ("loaded", .left, { $0.time("at") }),
      ])
  }

  private static func show(_ invocation: Invocation) async throws {
    try await ServiceClient(invocation).download(path(invocation), to: "-")
  }

  private static func load(_ invocation: Invocation) async throws {
    let file = try UploadFile(invocation.required(1))
    let answer = try await ServiceClient(invocation).upload(path(invocation), [], type: "text/csv", file.upload) { _ in }
    invocation.show(answer) { "\($0.text("name")): \($0.text("lines")) lines. Campaigns that run follow it from now on." }
  }

  private static func remove(_ invocation: Invocation) async throws {
    invocation.show(try await ServiceClient(invocation).post(path(invocation) + "/remove")) { _ in "Removed." }
  }
}

import API
import Domain
import JSON
import Postgres
import Reactor
import Store
import Testing

@Suite struct `Calendars` {
  static let file = "date,country,from,to,kind\nfri,EG,11:30,13:30,friday_prayer\n"

  @Test func `are loaded, shown, replaced and removed by operators, and each change is on the record`() async throws {
    let service = try await TestService()
    let path = "/v1/calendars/egypt-2027"
    #expect(try await service.send("POST", path, bytes: Array(Self.file.utf8), as: .marketer).status == 403)
    let loaded = try await service.send("POST", path, bytes: Array(Self.file.utf8), as: .operate)
    #expect(loaded.status == 200 && loaded.json["lines"]?.int64Value == 1, "\(loaded.text)")
    #expect(try await service.call("GET", path, as: .marketer).text == Self.file)
    let longer = Self.file + "2027-03-09,*,,,public_holiday\n"
    #expect(try await service.send("POST", path, bytes: Array(longer.utf8)).json["lines"]?.int64Value == 2)
    #expect(try await service.call("GET", "/v1/calendars").json["items"]?.arrayValue?.count == 1)
    #expect(try await service.call("POST", path + "/remove").status == 200)
    #expect(try await service.call("GET", path).status == 404)
    #expect(try await service.pool.run("select count(*) from calendar")[0].int64(0) == 3)
    #expect(try await service.pool.run("select count(*) from audit where action like 'calendar%'")[0].int64(0) == 3)
    await service.close()
  }

  @Test func `that cannot be read are refused with their line, and the old one holds`() async throws {
    let service = try await TestService()
    _ = try await service.send("POST", "/v1/calendars/eid", bytes: Array(Self.file.utf8))
    let broken = try await service.send("POST", "/v1/calendars/eid", bytes: Array((Self.file + "someday,EG,,,x").utf8))
    #expect(broken.status == 422 && broken.code == "calendar_malformed" && broken.field == "line 3")
    #expect(try await service.call("GET", "/v1/calendars/eid").text == Self.file)
    #expect(try await service.send("POST", "/v1/calendars/e%20d", bytes: Array(Self.file.utf8)).code == "field_invalid")
    await service.close()
  }

  @Test func `are named by a campaign that knows them, and all hold for one that names none`() async throws {
    let service = try await TestService()
    let audience = try await service.stage()
    let unknown = try await service.call(
      "POST", "/v1/campaigns", TestService.campaign(audience, ["schedule", "calendars"], ["eid"]))
    #expect(unknown.code == "calendar_unknown" && unknown.field == "schedule.calendars[0]")
    _ = try await service.send("POST", "/v1/calendars/eid", bytes: Array(Self.file.utf8))
    let known = try await service.call(
      "POST", "/v1/campaigns", TestService.campaign(audience, ["schedule", "calendars"], ["eid"]))
    #expect(known.status == 201 && known.json["spec"]?["schedule"]?["calendars"]?.arrayValue?.count == 1)
    let silent = try await service.call(
      "POST", "/v1/campaigns",
      TestService.campaign(audience, ["schedule"], ["start_at": "now", "window": ["start": "09:00", "end": "21:00"]]))
    #expect(silent.json["spec"]?["schedule"]?["calendars"]?.stringValue == "all")
    await service.close()
  }

  @Test func `that close a campaign are told as what it waits for, in English and Arabic`() async throws {
    let service = try await TestService()
    let audience = try await service.stage()
    let draft = try await service.call(
      "POST", "/v1/campaigns",
      TestService.campaign(audience, ["schedule"], ["start_at": "now", "window": "always", "calendars": "all"]))
    let id = draft.json["id"]?.stringValue ?? ""
    _ = try await service.pool.run("update campaign set state = 5, prepared_at = now() where campaign_id = $1", .int8(Int64(id)!))
    _ = try await service.pool.run("insert into run values ($1, 1, 1, 3, 'Africa/Cairo')", .int8(Int64(id)!))
    #expect(try await service.call("GET", "/v1/campaigns/\(id)").json["state"]?.stringValue == "sending")
    let today = CivilDate(daysSince1970: Int(Instant.now.seconds / 86_400))
    let days = [-1, 0, 1].map { CivilDate(daysSince1970: today.daysSince1970 + $0) }
    let lines = days.map { "\($0),EG,,,public_holiday\n" }.joined()
    _ = try await service.send("POST", "/v1/calendars/eid", bytes: Array(("date,country,from,to,kind\n" + lines).utf8))
    let closed = try await service.call("GET", "/v1/campaigns/\(id)").json
    #expect(closed["state"]?.stringValue == "waiting" && closed["state_reason"]?["code"]?.stringValue == "blackout")
    #expect(closed["state_reason"]?["text"]?.stringValue?.hasSuffix("(public holiday).") == true)
    #expect(closed["state_reason"]?["evidence"]?["calendar"]?.stringValue == "eid")
    #expect(closed["state_reason"]?["until"]?.stringValue.flatMap { Instant(rfc3339: $0) } ?? .now > .now)
    let arabic = try await service.call("GET", "/v1/campaigns/\(id)", headers: [("Accept-Language", "ar")]).json
    #expect(arabic["state_reason"]?["text"]?.stringValue?.hasSuffix("بسبب عطلة رسمية.") == true)
    await service.close()
  }
}

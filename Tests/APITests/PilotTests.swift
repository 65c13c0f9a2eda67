import API
import Domain
import JSON
import Postgres
import Reactor
import Store
import Testing

@Suite struct `A campaign with a pilot` {
  @Test func `says in English and Arabic what it waits for, and until when`() async throws {
    let service = try await TestService()
    let audience = try await service.stage(people: 120)
    let draft = try await service.call(
      "POST", "/v1/campaigns", TestService.campaign(audience, ["guard"], ["pilot": ["size": 50, "wait": "1h"]]))
    let id = draft.json["id"]?.stringValue ?? ""
    // Three steps would be 50, 250, …: with 120 people there are two, an hour between them.
    let pilot = draft.json["forecast"]?["pilot"]
    #expect(pilot?["steps"]?.arrayValue?.compactMap(\.int64Value) == [50, 120], "\(draft.text)")
    #expect(draft.json["forecast"]?["sending_seconds"]?.int64Value ?? 0 >= 3600)
    let limits = draft.json["forecast"]?["limits"]?.arrayValue?.compactMap { $0["limit"]?.stringValue }
    #expect(limits?.contains("pilot") == true)
    _ = try await service.pool.run(
      "update campaign set state = 5, prepared_at = now(), recipients = 120 where campaign_id = $1", .int8(Int64(id)!))
    _ = try await service.pool.run(
      """
      insert into run (campaign_id, run_no, lo, hi, zone, wave)
      values ($1, 1, 1, 50, 'Africa/Cairo', 1), ($1, 2, 51, 120, 'Africa/Cairo', 2)
      """, .int8(Int64(id)!))
    _ = try await service.pool.run("insert into pilot_step (campaign_id, step, people) values ($1, 1, 50)", .int8(Int64(id)!))
    #expect(try await service.call("GET", "/v1/campaigns/\(id)").json["state"]?.stringValue == "sending")
    _ = try await service.pool.run(
      "update pilot_step set sent_at = now(), looks_at = now() + interval '1 hour' where campaign_id = $1", .int8(Int64(id)!))
    let waiting = try await service.call("GET", "/v1/campaigns/\(id)").json
    #expect(waiting["state"]?.stringValue == "waiting" && waiting["state_reason"]?["code"]?.stringValue == "pilot")
    #expect(waiting["state_reason"]?["text"]?.stringValue?.hasSuffix("(pilot).") == true)
    #expect(waiting["state_reason"]?["until"]?.stringValue.flatMap { Instant(rfc3339: $0) } ?? .now > .now)
    #expect(waiting["pilot"]?["opened"]?.arrayValue?.count == 1 && waiting["pilot"]?["steps"]?.int64Value == 2)
    let list = try await service.call("GET", "/v1/campaigns", headers: [("Accept-Language", "ar")]).json
    let arabic = list["items"]?.arrayValue?.first?["state_reason"]?["text"]?.stringValue
    #expect(arabic?.hasSuffix("بسبب انتظار نتائج العيّنة الأولى.") == true, "\(arabic ?? "")")
    await service.close()
  }
}

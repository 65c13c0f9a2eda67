import Domain
import JSON
import Postgres
import Store

/// Holds what a request says of people against what is stored: audiences, saved segments, attributes.
struct AudienceCheck: Sendable {
  let services: APIServices
  let business: Business.ID

  /// Looks up what the audience names, and puts a saved segment's conditions in their place.
  func check(_ part: inout CampaignSpec.AudiencePart) async throws {
    let known = try await Audiences.known(part.ids, of: business, on: services.pool)
    for (index, id) in part.ids.enumerated() where !known.contains(where: { $0.id == id }) {
      throw AudienceCheck.unknown(id, at: part.ids.count == 1 ? "audience.id" : "audience.id[\(index)]")
    }
    guard known.contains(where: { !$0.isEmpty }) else {
      throw Problem(
        422, "audience_empty", "The audience holds nobody.", detail: "No contact is in it.", field: "audience.id",
        remedy: "Load contacts with POST /v1/audiences/{id}/contacts.")
    }
    if let saved = part.saved, saved.segment == nil {
      part.saved?.segment = try await self.saved(saved.name)
    }
    if let segment = part.saved?.segment {
      // A segment is shared: the fault lies in it, not in this request's own words.
      try await references(segment.references(at: "audience.segment.where"), in: part.ids)
    }
    if let filter = part.filter { try await references(filter.references(at: "audience.where"), in: part.ids) }
  }

  private func saved(_ name: String) async throws -> Segment? {
    guard let entry = try await SavedSegments.named(name, of: business, on: services.pool) else {
      let known = try await SavedSegments.list(of: business, after: nil, limit: 200, on: services.pool).map(\.name)
      let nearest = NearestWord.to(name, among: known)
      throw Problem(
        422, "segment_unknown", "There is no such segment.", detail: "No saved segment has this name.",
        field: "audience.segment",
        remedy: nearest.map { "Did you mean \"\($0)\"?" } ?? "Save it with POST /v1/segments, or write \"where\".")
    }
    return try Segment.read(.stored(entry.filter), at: "audience.segment.where")
  }

  /// Each attribute is somebody's, each audience exists. Without `audiences`: among all contacts.
  func references(_ references: [(path: String, reference: Segment.Reference)], in audiences: [Audience.ID]?)
    async throws
  {
    var attributes: [(path: String, name: String)] = []
    var lists: [(path: String, id: Audience.ID)] = []
    for (path, reference) in references {
      switch reference {
      case .attribute(let name): attributes.append((path, name))
      case .audience(let id): lists.append((path, id))
      }
    }
    let known = try await Audiences.known(lists.map(\.id), of: business, on: services.pool).map(\.id)
    if let stray = lists.first(where: { !known.contains($0.id) }) {
      throw AudienceCheck.unknown(stray.id, at: stray.path)
    }
    guard !attributes.isEmpty else { return }
    let names = try await AudienceAttributes.names(in: audiences, of: business, on: services.pool)
    let unseen = Set(attributes.map(\.name)).subtracting(names).sorted()
    let missing = try await AudienceAttributes.missing(unseen, in: audiences, of: business, on: services.pool)
    guard let fault = attributes.first(where: { missing.contains($0.name) }) else { return }
    let fields = ["country", "language", "audience", "last_outcome", "days_since_message"]
    let nearest = NearestWord.to(fault.name, among: names + fields)
    let list = names.prefix(40).map { "\"\($0)\"" }.joined(separator: ", ")
    throw Problem(
      422, "attribute_unknown", "Nobody has this attribute.",
      detail: audiences == nil ? "No contact has this attribute." : "Nobody in the audience has this attribute.",
      field: fault.path,
      remedy: (nearest.map { "Did you mean \"\($0)\"? " } ?? "")
        + (names.isEmpty ? "There are no attributes." : "Attributes there are: \(list).")
        + " Besides: \(fields.joined(separator: ", ")).")
  }

  private static func unknown(_ id: Audience.ID, at path: String) -> Problem {
    Problem(
      422, "audience_unknown", "There is no such audience.", detail: "No audience has the id \(id).", field: path,
      remedy: "Take an id from GET /v1/audiences.")
  }

  // MARK: Sentences

  func sentence(_ part: CampaignSpec.AudiencePart, _ language: Language) async throws -> String {
    let mentioned = part.ids + part.segments.flatMap(AudienceCheck.audiences)
    let names = try await AudienceAttributes.names(of: mentioned, of: business, on: services.pool)
    return SegmentSentence(language: language, audiences: names).text(part)
  }

  func sentence(_ segment: Segment, _ language: Language) async throws -> String {
    let names = try await AudienceAttributes.names(
      of: AudienceCheck.audiences(segment), of: business, on: services.pool)
    return SegmentSentence(language: language, audiences: names).text(segment)
  }

  private static func audiences(_ segment: Segment) -> [Audience.ID] {
    segment.references(at: "").compactMap { part in
      if case .audience(let id) = part.reference { id } else { nil }
    }
  }
}

import Domain

/// Who is meant among the people of an audience: `where` of a campaign, or a saved segment.
///
/// It keeps the form it was written in, so that `json` reads to the same value and every part has the path a person
/// would look for. What a test says of somebody who lacks the thing is no; `not` turns that into yes.
public indirect enum Segment: Sendable, Equatable {
  /// Names side by side in one object: all of them.
  case object([Segment])
  case and([Segment])
  case or([Segment])
  case not(Segment)
  /// Attributes whose names are words of this language: `{"attribute": {"country": "…"}}`.
  case attributes([Test])
  case test(Test)

  public struct Test: Sendable, Equatable {
    public let field: Field
    /// All of them hold.
    public let comparisons: [Comparison]

    public init(_ field: Field, _ comparisons: [Comparison]) {
      (self.field, self.comparisons) = (field, comparisons)
    }
  }

  public enum Field: Sendable, Hashable {
    case attribute(String)
    /// Member of another audience.
    case audience
    /// The phone's.
    case country
    case language
    /// How the last message ended, of whichever campaign.
    case lastOutcome
    /// Days since anything was handed over to this person.
    case daysSinceMessage

    /// The words of this language; any other name is an attribute.
    static let words: [String: Field] = [
      "audience": .audience, "country": .country, "language": .language, "last_outcome": .lastOutcome,
      "days_since_message": .daysSinceMessage,
    ]

    public var name: String {
      switch self {
      case .attribute(let name): name
      case .audience: "audience"
      case .country: "country"
      case .language: "language"
      case .lastOutcome: "last_outcome"
      case .daysSinceMessage: "days_since_message"
      }
    }
  }

  public enum Operand: Sendable, Equatable {
    /// Compared after Arabic folding.
    case text(String)
    /// As it was written: plain digits with an optional sign and fraction.
    case number(String)
    /// `2026-11-26`; only of comparisons of order.
    case date(CivilDate)
  }

  public enum Order: String, CaseIterable, Sendable {
    case above = "gt"
    case atLeast = "gte"
    case below = "lt"
    case atMost = "lte"
  }

  public enum Comparison: Sendable, Equatable {
    case equals(Operand)
    case differs(Operand)
    case oneOf([Operand])
    case prefix(String)
    case exists(Bool)
    case ordered(Order, Operand)
  }

  /// What `last_outcome` may say; `never` is who was never written to.
  public enum LastOutcome: String, CaseIterable, Sendable {
    case never, failed, unknown, accepted, sent, delivered, read
  }

  /// Bounds of one segment; the remedy of a refusal names them.
  public enum Limits {
    public static let depth = 8
    public static let tests = 60
    public static let values = 200
    public static let text = 200
  }

  /// Something that must exist, with its place in the request.
  public enum Reference: Sendable, Equatable {
    case attribute(String)
    case audience(Audience.ID)
  }

  public func references(at path: String) -> [(path: String, reference: Reference)] {
    switch self {
    case .object(let members): return members.flatMap { $0.references(at: path) }
    case .and(let members):
      return members.enumerated().flatMap { $1.references(at: "\(path).and[\($0)]") }
    case .or(let members):
      return members.enumerated().flatMap { $1.references(at: "\(path).or[\($0)]") }
    case .not(let member): return member.references(at: path + ".not")
    case .attributes(let tests): return tests.flatMap { Segment.references($0, at: path + ".attribute") }
    case .test(let test): return Segment.references(test, at: path)
    }
  }

  private static func references(_ test: Test, at path: String) -> [(path: String, reference: Reference)] {
    let path = "\(path).\(test.field.name)"
    switch test.field {
    case .attribute(let name): return [(path, .attribute(name))]
    case .audience:
      func reference(_ place: String, _ id: Operand) -> (path: String, reference: Reference) {
        (place, .audience(Segment.audience(id)))
      }
      return test.comparisons.flatMap { comparison in
        switch comparison {
        case .equals(let id): [reference(path, id)]
        case .differs(let id): [reference(path + ".not", id)]
        case .oneOf(let ids): ids.enumerated().map { reference("\(path).in[\($0)]", $1) }
        case .prefix, .exists, .ordered: preconditionFailure("an audience is compared with ids alone")
        }
      }
    case .country, .language, .lastOutcome, .daysSinceMessage: return []
    }
  }

  /// The reader let only ids through.
  static func audience(_ operand: Operand) -> Audience.ID {
    guard case .text(let text) = operand, let id = Int64(text) else {
      preconditionFailure("an audience is compared with ids alone")
    }
    return Audience.ID(id)
  }
}

/// A row's key, typed by the thing it names, so that a contact's key is never taken for a campaign's.
public struct Identifier<Thing>: Hashable, Comparable, Sendable, CustomStringConvertible {
  public let rawValue: Int64
  public init(_ rawValue: Int64) { self.rawValue = rawValue }
  public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
  public var description: String { String(rawValue) }
}

// The things that have keys. Each is an empty name: the rows themselves live in the Store.
public enum Business { public typealias ID = Identifier<Business> }
public enum Portfolio { public typealias ID = Identifier<Portfolio> }
/// A WhatsApp Business Account: owns templates, a currency and a time zone.
public enum Account { public typealias ID = Identifier<Account> }
public enum Token { public typealias ID = Identifier<Token> }
/// A business phone number we send from. Its key is ours; Meta's is `phone_number_id`.
public enum Number { public typealias ID = Identifier<Number> }
public enum Template { public typealias ID = Identifier<Template> }
public enum Audience { public typealias ID = Identifier<Audience> }
public enum Contact { public typealias ID = Identifier<Contact> }
public enum Campaign { public typealias ID = Identifier<Campaign> }
public enum APIKey { public typealias ID = Identifier<APIKey> }
public enum Upload { public typealias ID = Identifier<Upload> }
public enum Pause { public typealias ID = Identifier<Pause> }
public enum RateRow { public typealias ID = Identifier<RateRow> }
public enum Endpoint { public typealias ID = Identifier<Endpoint> }
public enum Alert { public typealias ID = Identifier<Alert> }
public enum Job { public typealias ID = Identifier<Job> }

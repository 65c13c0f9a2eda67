import Crypto
import Domain

/// A person as somebody names them: by phone, by Meta's id, or both.
public struct Person: Sendable {
  public let phone: PhoneNumber?
  public let userID: UserID?

  public init?(phone: PhoneNumber?, userID: UserID?) {
    guard phone != nil || userID != nil else { return nil }
    (self.phone, self.userID) = (phone, userID)
  }

  /// The phone's where one is known.
  public func key(_ keys: PersonKeys) -> PersonKey { phone.map { keys.key(of: $0) } ?? keys.key(of: userID!) }
}

import Domain
import Governor

/// The sender's bounds. Each can be set; none can be switched off.
public struct SenderSettings: Sendable {
  /// `https://graph.facebook.com` or the Sandbox, without a path.
  public var graphURL: String
  /// `v26.0`
  public var graphVersion: String
  /// Verifies the Graph API's certificate by this file instead of the system's authorities.
  public var caFile: String?
  /// An answer later than this leaves the message unknown.
  public var answerTimeout: Duration = .seconds(30)
  /// A node silent for so long loses its lanes.
  public var nodeTimeout: Duration = .seconds(2)
  public var beatEvery: Duration = .milliseconds(500)
  /// After a takeover nothing leaves for so long: the old owner's gate answers have run out (250 ms, and 300 ms for a gate
  /// statement under way), and the window of its last sends has passed.
  public var quarantine: Duration = .milliseconds(1600)
  /// A lane that nobody owns is left to the node it belongs to for so long.
  public var yieldFor: Duration = .seconds(1)
  /// A node gets lanes of others' when it has lived for so long,
  public var moveTo: Duration = .seconds(5)
  /// from each of them one in so long,
  public var moveEvery: Duration = .seconds(1)
  /// and none that came to its owner more lately.
  public var stayFor: Duration = .seconds(10)
  /// Ending in good order, a lane waits so long for Meta's answers before it lets the next owner go on.
  public var handOverPatience: Duration = .seconds(1)
  public var gateEvery: Duration = .milliseconds(50)
  public var factsEvery: Duration = .milliseconds(20)
  public var factsBatch = 1000
  /// Facts in memory; above it nothing is handed over until the database takes them.
  public var factsBound = 20_000
  public var pollEvery: Duration = .milliseconds(250)
  /// How often a lane asks for urgent messages.
  public var urgentEvery: Duration = .milliseconds(100)
  public var pathAllowance: Duration = LaneShare.pathAllowance
  public var inFlight = 1000
  /// How often a person is tried again whom Meta held for a day (131049); then it is final.
  public var marketingRetries = 2

  /// Kept free of Meta's limit of people in 24 hours, in percent.
  public var tierHeadroomPercent = PeopleLimit.headroomPercent
  /// An urgent message that finds no room among the people of the day is looked at again after so long, at the least.
  public var crowdedRest: Duration = .seconds(15)

  public init(graphURL: String, graphVersion: String) {
    (self.graphURL, self.graphVersion) = (graphURL, graphVersion)
  }
}

/// A WebSocket on which the server speaks, and the client says only who it is.
package struct WebSocketCall: Sendable {
    /// Where it is; `https` stands for `wss`, and `http` for `ws`.
    package var address: ServerAddress
    /// The texts that are sent first, one a message.
    package var greeting: [String]
    /// From the opening to the first message.
    package var firstMessageDeadline = Duration.seconds(30)
    package var pingInterval = Duration.seconds(30)
    /// A connection on which nothing came for so long, not even an answer to a ping, is dead.
    package var silenceLimit = Duration.seconds(75)

    package init(_ address: ServerAddress, greeting: [String]) {
        self.address = address
        self.greeting = greeting
    }
}

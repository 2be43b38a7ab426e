/// Passwords for new accounts, made on this machine.
package enum GeneratedPassword {
    private static let letters = Array("abcdefghijkmnopqrstuvwxyz")
    private static let capitals = Array("ABCDEFGHJKLMNPQRSTUVWXYZ")
    private static let digits = Array("23456789")
    private static let signs = Array("-_.!+")
    private static let length = 20

    /// Twenty characters with over 100 random bits, and with one of each kind that servers ask
    /// for; characters that look alike are left out.
    package static func make() -> String {
        var generator = SystemRandomNumberGenerator()
        let all = letters + capitals + digits
        var text = [letters, capitals, digits, signs].map { pick($0, &generator) }
        while text.count < length { text.append(pick(all, &generator)) }
        text.shuffle(using: &generator)
        return String(text)
    }

    private static func pick(
        _ characters: [Character], _ generator: inout SystemRandomNumberGenerator
    ) -> Character {
        characters[Int.random(in: 0..<characters.count, using: &generator)]
    }
}

"""The measurement of what perceptual hashes find, and of what they find by mistake."""

"""What is on the screen. Streamlit lives here and nowhere else; what is true without a screen is in gen_core."""

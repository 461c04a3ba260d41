import "../shared/styles.css";
